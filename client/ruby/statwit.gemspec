# frozen_string_literal: true

require_relative "lib/statwit/version"

Gem::Specification.new do |gem|
  gem.name = "statwit"
  gem.version = Statwit::VERSION
  gem.summary = "Tests assert which Datadog metrics a program emitted"
  gem.authors = ["The statwit authors"]
  gem.license = "MIT"
  gem.homepage = "https://github.com/statwit/statwit"
  gem.files = Dir["lib/**/*.rb", "libexec/statwit", "licences/**/*", "README.md"].select { |path| File.file?(path) }.sort
  gem.required_ruby_version = ">= 3.1" # Process._fork: a forked child lets go of the server
end
