# frozen_string_literal: true

module Statwit
  VERSION = "0.1.0"
end
