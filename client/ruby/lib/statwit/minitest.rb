# frozen_string_literal: true

require_relative "../statwit"
require_relative "claim"

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
      @metrics = Recorder.shared.session
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
    # histogram, distribution and set. `times` nil: at least once.
    Claim::TYPES.each_key do |kind|
      # Methods of their own names, by which Minitest finds the line of the test.
      class_eval(<<~RUBY, __FILE__, __LINE__ + 1)
        def assert_statsd_#{kind}(name, value = nil, times: 1, within: 0, **about, &block)
          about[:value] = value unless value.nil?
          assert_recorded(Claim.text(:#{kind}, name, times: times, **about), within: within, &block)
        end
      RUBY
    end

    # No metric with one of these names; without names: none at all.
    def assert_no_statsd_calls(*names, &block)
      assert_recorded(*(names.empty? ? ["*"] : names).map { |name| "no any #{Claim.name(name)}" }, &block)
    end
  end
end
