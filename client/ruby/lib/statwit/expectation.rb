# frozen_string_literal: true

require_relative "claim"

module Statwit
  # One call that is expected, for `assert_statsd_expectations`: `Expectation.increment("login.attempt", tags: { instance: "failure" })`.
  # Any object will do that has type, name, value, sample_rate, tags and times, as statsd-instrument's has.
  Expectation = Struct.new(:type, :name, :value, :sample_rate, :tags, :times, :no_prefix, keyword_init: true) do
    Claim::TYPES.each_key do |kind|
      define_singleton_method(kind) do |name, value = nil, sample_rate: nil, tags: nil, times: 1, no_prefix: false, ignore_tags: nil|
        _ = ignore_tags # other tags are ignored anyway
        new(type: kind, name: name, value: value, sample_rate: sample_rate, tags: tags, times: times, no_prefix: no_prefix)
      end
    end
  end

  # What a block sent: samples with name, type, value, sample_rate and tags. `since` and `until` are its marks, for later questions.
  class Capture
    include Enumerable

    WIRE = { "count" => :c, "gauge" => :g, "timing" => :ms, "histogram" => :h, "distribution" => :d, "set" => :s }.freeze
    KINDS = { c: :increment, g: :gauge, ms: :measure, h: :histogram, d: :distribution, s: :set }.freeze
    Datagram = Struct.new(:name, :type, :value, :sample_rate, :tags)

    attr_reader :since, :until

    # Raises Inconclusive when something was lost meanwhile: a list would hide it.
    def self.of(session)
      since = session.mark
      yield
      new(session, since, session.mark)
    end

    def initialize(session, since, til)
      @since = since
      @until = til
      report = session.ask("any * samples >= 0", **span)
      raise Inconclusive, Report.new("inconclusive", report.text, report.json) if report.json["losses"].any?

      @datagrams = session.samples(nil, **span).map do |s|
        Datagram.new(s["name"], WIRE[s["type"]], s["value"] || s["text"], s["sample_rate"], s["tags"])
      end
    end

    def span
      { since: @since, until: @until }
    end

    def each(&block)
      @datagrams.each(&block)
    end

    def empty?
      @datagrams.empty?
    end
  end
end
