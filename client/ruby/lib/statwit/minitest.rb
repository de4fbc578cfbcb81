# frozen_string_literal: true

require_relative "../statwit"
require_relative "claim"
require_relative "expectation"

module Statwit
  # For Minitest and for Rails' test cases: a session for each test, and assertions with statsd-instrument's names.
  #
  #     class LoginTest < Minitest::Test
  #       include Statwit::Minitest
  #
  #       def test_failure
  #         login("nobody")
  #         assert_statsd_increment "login.attempt", tags: { instance: "failure" }
  #         assert_no_statsd_calls "errors.*"
  #       end
  #     end
  module Minitest
    # This test's Session.
    attr_reader :metrics

    # Whether ENV leads to the session while the test runs. ENV belongs to the whole process: tests that run in threads
    # (`parallelize_me!`) say false, and give `metrics.host` and `metrics.port` to their clients.
    def statwit_env?
      true
    end

    def before_setup
      @metrics = Recorder.shared.session(label: "#{self.class}##{name}")
      @statwit_before = statwit_env? ? metrics.env.keys.to_h { |name| [name, ENV[name]] } : {}
      ENV.update(metrics.env) if statwit_env?
      super
    end

    def after_teardown
      super
    ensure
      ENV.update(@statwit_before) if @statwit_before
      @metrics&.close
    end

    # What the client puts before each name; an assertion of statsd-instrument's leaves it out. `no_prefix: true` adds nothing.
    def statwit_prefix
      nil
    end

    # Fails the test unless the verdict on these expectations is `pass`. With a block: on what came since its start.
    def assert_recorded(*expectations, **more)
      if block_given?
        more[:since] = metrics.mark
        yield
      end
      report = metrics.ask(*expectations, **more)
      assert report.pass?, report.to_s
    end

    # assert_statsd_increment(name, value = nil, times: 1, tags: nil, sample_rate: nil, within: 0), and the same for gauge, measure,
    # histogram, distribution and set. `times` nil: at least once. `datagrams`: of capture_statsd_datagrams, instead of a block.
    Claim::TYPES.each_key do |kind|
      # Methods of their own names, by which Minitest finds the line of the test.
      class_eval(<<~RUBY, __FILE__, __LINE__ + 1)
        def assert_statsd_#{kind}(name, value = nil, times: 1, within: 0, datagrams: nil, no_prefix: false, **about, &block)
          about[:value] = value unless value.nil?
          name = "\#{statwit_prefix unless no_prefix}\#{name}"
          assert_recorded(Claim.text(:#{kind}, name, times: times, **about), within: within, **(datagrams&.span || {}), &block)
        end
      RUBY
    end

    # No metric with one of these names; without names: none at all.
    def assert_no_statsd_calls(*names, datagrams: nil, &block)
      names = names.empty? ? ["*"] : names.map { |name| name.is_a?(Regexp) ? name : "#{statwit_prefix}#{name}" }
      assert_recorded(*names.map { |name| "no any #{Claim.name(name)}" }, **(datagrams&.span || {}), &block)
    end

    # All of these Expectations came true.
    def assert_statsd_expectations(expectations, datagrams: nil, within: 0, &block)
      claims = Array(expectations).map do |one|
        prefix = statwit_prefix if one.is_a?(Expectation) && !one.no_prefix # statsd-instrument's own have it
        Claim.text(Capture::KINDS.fetch(one.type, one.type), "#{prefix}#{one.name}", value: one.value, times: one.times, tags: one.tags,
                                                                                     sample_rate: one.sample_rate)
      end
      assert_recorded(*claims, within: within, **(datagrams&.span || {}), &block)
    end

    def assert_statsd_expectation(expectation, **more, &block)
      assert_statsd_expectations([expectation], **more, &block)
    end

    # What the block sends, as a list that the assertions take for `datagrams`.
    def capture_statsd_datagrams(&block)
      Capture.of(metrics, &block)
    end

    alias assert_statsd_calls assert_statsd_expectations
    alias capture_statsd_calls capture_statsd_datagrams
  end
end
