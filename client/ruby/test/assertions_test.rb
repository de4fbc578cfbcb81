# frozen_string_literal: true

require_relative "helper"

# The assertions that statsd-instrument has, and what hides nothing.
class AssertionsTest < Minitest::Test
  include Sending
  include Statwit::Minitest

  def test_every_type
    emit metrics, "c:2|c|@0.5|#a:1,b", "g:1.5|g", "t:7|ms", "h:7|h", "d:7|d", "s:some one|s"
    assert_statsd_increment "c", 2, tags: { a: 1, b: nil }, sample_rate: 0.5
    assert_statsd_increment "c", tags: ["a:1"], times: 1
    assert_statsd_gauge "g", 1.5
    assert_statsd_measure "t", value: 7
    assert_statsd_histogram "h"
    assert_statsd_distribution "d", 7
    assert_statsd_set "s", "some one"
  end

  # Those of its Assertions, Helpers and Matchers. Where the gem is there, no name of it is missing either.
  NAMES = %i[assert_no_statsd_calls assert_statsd_increment assert_statsd_measure assert_statsd_gauge assert_statsd_histogram
             assert_statsd_distribution assert_statsd_set assert_statsd_expectation assert_statsd_expectations assert_statsd_calls
             capture_statsd_datagrams capture_statsd_calls].freeze

  def test_every_name_of_statsd_instrument
    assert_empty NAMES - Statwit::Minitest.public_instance_methods
    begin
      require "statsd/instrument"
    rescue LoadError
      return puts("statsd-instrument is not installed here: its names are those of a list")
    end
    theirs = StatsD::Instrument::Assertions.public_instance_methods.grep(/statsd/) - %i[assert_statsd_key_value]
    assert_empty theirs.reject { |name| name.end_with?("_with_exception_handling") } - Statwit::Minitest.public_instance_methods
  end

  def test_expectations
    expectations = [Statwit::Expectation.increment("c", 2, tags: { a: 1 }), Statwit::Expectation.gauge("g", times: 2)]
    assert_statsd_expectations(expectations) { emit metrics, "c:2|c|#a:1,b:2", "g:1|g", "g:2|g" }
    assert_statsd_calls expectations
    assert_statsd_expectation(expectations[0]) { emit metrics, "c:2|c|#a:1" }
    assert_raises(Minitest::Assertion) { assert_statsd_expectations(expectations) { emit metrics, "c:2|c|#a:1" } }
    theirs = Struct.new(:type, :name, :value, :sample_rate, :tags, :times).new(:ms, "t", 7.0, nil, ["k:v"], 1)
    assert_statsd_expectation(theirs) { emit metrics, "t:7|ms|#k:v" }
  end

  def test_what_a_block_sends_is_captured
    captured = capture_statsd_datagrams { emit metrics, "c:2|c|@0.5|#a:1", "s:x|s" }
    emit metrics, "c:2|c"
    assert_equal [["c", :c, 2, 0.5, ["a:1"]], ["s", :s, "x", 1, []]], captured.map(&:to_a)
    assert_statsd_increment "c", 2, times: 1, datagrams: captured
    assert_statsd_expectations [Statwit::Expectation.set("s", "x")], datagrams: captured
    assert_no_statsd_calls "d", datagrams: captured
    assert_raises(Minitest::Assertion) { assert_no_statsd_calls "c", datagrams: captured }
    assert_empty(capture_statsd_calls { nil })
    drop(metrics)
    assert_raises(Statwit::Inconclusive) { capture_statsd_datagrams { emit metrics, "c:2|c" } }
  end

  def test_a_prefix
    failed = run_tests do
      define_method(:statwit_prefix) { "app." }
      define_method(:test_one) do
        emit metrics, "app.c:1|c|#a:1,b:2", "d:1|c"
        assert_statsd_increment "c", tags: ["a:1"], ignore_tags: ["b"]
        assert_statsd_increment "d", no_prefix: true
        assert_statsd_expectation Statwit::Expectation.increment("c")
        assert_no_statsd_calls "d"
        assert_raises(ArgumentError) { assert_no_statsd_calls(/d/) }
        assert_no_statsd_calls "c"
      end
    end
    assert_equal 1, failed.size
    assert_includes failed[0].message, "no any app.c"
  end

  def test_times
    emit metrics, "c:1|c", "c:1|c"
    assert_statsd_increment "c", times: 2
    assert_statsd_increment "c", times: nil
    assert_statsd_increment "d", times: 0
    assert_raises(Minitest::Assertion) { assert_statsd_increment "c" }
  end

  def test_tags_that_hold_anything
    emit metrics, 'c:1|c|#path:/a{b},q:say "hi" \\,k=v'
    assert_statsd_increment "c", tags: { path: "/a{b}", q: 'say "hi" \\' }
    assert_statsd_increment "c", tags: ["k=v"]
  end

  def test_a_block_looks_only_at_what_comes_in_it
    emit metrics, "c:1|c"
    assert_statsd_increment("c", times: 1) { emit metrics, "c:2|c" }
    assert_no_statsd_calls { nil }
    assert_raises(Minitest::Assertion) { assert_statsd_increment("c") { nil } }
    assert_raises(Minitest::Assertion) { assert_no_statsd_calls { emit metrics, "c:2|c" } }
    assert_raises(ZeroDivisionError) { assert_no_statsd_calls { 1 / 0 } }
  end

  def test_a_failure_shows_the_explanation
    emit metrics, "login.attempts:1|c"
    shown = assert_raises(Minitest::Assertion) { assert_statsd_increment "login.attempt" }.message
    assert_includes shown, "statwit: fail"
    assert_includes shown, "login.attempts"
  end

  def test_a_failure_has_the_line_of_the_test
    lines = []
    failed = run_tests do
      define_method(:test_one) { lines << __LINE__ and assert_statsd_gauge "a" }
      define_method(:test_two) { lines << __LINE__ and assert_no_statsd_calls { emit metrics, "a:1|c" } }
    end
    assert_equal(lines.map { |line| "#{File.basename(__FILE__)}:#{line}" }.sort, failed.map { |one| File.basename(one.location) }.sort)
  end

  def test_the_environment_is_set_back
    before = ENV["DD_DOGSTATSD_PORT"]
    seen = []
    failed = run_tests do
      define_method(:test_one) { seen << ENV["DD_DOGSTATSD_PORT"] }
      define_method(:test_two) { raise "wrong: #{seen << ENV["DD_DOGSTATSD_PORT"]}" }
    end
    assert_equal [1, 2], [failed.size, seen.uniq.size]
    assert_equal before, ENV["DD_DOGSTATSD_PORT"]
    refute_includes seen, before
  end

  def test_the_environment_can_be_left_alone
    ports = Queue.new
    failed = run_tests do
      define_method(:statwit_env?) { false }
      8.times do |i|
        define_method("test_#{i}") do
          ports << [ENV["DD_DOGSTATSD_PORT"], metrics.port]
          emit metrics, "n:#{i}|c"
          assert_statsd_increment "n", i
          assert_recorded "any * series == 1"
        end
      end
    end
    assert_empty failed
    assert_equal [1, 8], Array.new(8) { ports.pop }.transpose.map { |list| list.uniq.size }
  end
end
