# frozen_string_literal: true

require "rspec/core"
require "rspec/expectations"
require_relative "../statwit"
require_relative "claim"
require_relative "expectation"

module Statwit
  # For RSpec: a session for each example that is tagged :statwit, and matchers with statsd-instrument's names.
  #
  #     RSpec.describe Login, :statwit do
  #       it "counts failures" do
  #         expect { login("nobody") }.to trigger_statsd_increment("login.attempt", tags: { instance: "failure" })
  #         expect(metrics).not_to have_recorded("any errors.*")
  #       end
  #     end
  #
  # `statwit: ["no any errors.*"]` names claims that must hold when the example has ended.
  module RSpec
    # This example's Session.
    def metrics
      @statwit_metrics or raise "this example has no session: tag it or its group :statwit"
    end

    # What the client puts before each name; a matcher of statsd-instrument's leaves it out. `no_prefix: true` adds nothing.
    def statwit_prefix
      nil
    end

    # What the block sends, as a list.
    def capture_statsd_datagrams(&block)
      Capture.of(metrics, &block)
    end
    alias capture_statsd_calls capture_statsd_datagrams

    # matches a Session. `within`: seconds to wait.
    def have_recorded(*expectations, **more)
      Recorded.new(->(session, _) { session.ask(*expectations, **more) })
    end

    # trigger_statsd_increment(name, value:, times:, tags:, sample_rate:) matches a block, and the same for gauge, measure,
    # histogram, distribution and set. Without `times`: at least once.
    Claim::TYPES.each_key do |kind|
      define_method(:"trigger_statsd_#{kind}") do |name, within: 0, no_prefix: false, **about|
        name = "#{statwit_prefix unless no_prefix}#{name}"
        Triggered.new(metrics, ->(session, since, no) { session.ask("#{no}#{Claim.text(kind, name, **about)}", since: since, within: within) })
      end
    end

    # Shows the server's explanation. An inconclusive verdict raises Inconclusive: `not_to`, `or` and `and` cannot make a pass of it.
    class Recorded
      include ::RSpec::Matchers::Composable

      def initialize(ask)
        @ask = ask
      end

      def matches?(session)
        conclude(@ask.call(session, nil))
      end

      def failure_message
        @report.to_s
      end

      def failure_message_when_negated
        "statwit: this must not hold, and does\n#{@report.text}"
      end

      def description
        "have recorded"
      end

      private

      def conclude(report)
        @report = report
        report.pass?
      end
    end

    class Triggered < Recorded
      def initialize(session, ask)
        super(ask)
        @session = session
      end

      def matches?(block)
        conclude(after(block, ""))
      end

      # The opposite is asked for, so that a failure explains it.
      def does_not_match?(block)
        conclude(after(block, "no "))
      end

      def failure_message_when_negated
        failure_message
      end

      def supports_block_expectations?
        true
      end

      def description
        "trigger a statsd call"
      end

      private

      def after(block, no)
        since = @session.mark
        block.call
        @ask.call(@session, since, no)
      end
    end
    private_constant :Recorded, :Triggered

    def self.around(example, group)
      session = Recorder.shared.session(label: example.full_description)
      group.instance_variable_set(:@statwit_metrics, session)
      session.aim { example.run }
      claims = Array(example.metadata[:statwit]).grep(String)
      report = session.ask(*claims) if claims.any? && example.exception.nil?
      failed = report && report.verdict != "pass"
      example.metadata[:extra_failure_lines] = ["metrics recorded:", *session.table.lines(chomp: true)] if failed || example.exception
      raise ::RSpec::Expectations::ExpectationNotMetError, report.to_s if failed
    ensure
      session&.close
    end
  end
end

RSpec.configure do |config|
  config.include Statwit::RSpec, :statwit
  config.around(:each, :statwit) { |example| Statwit::RSpec.around(example, self) }
end
