# frozen_string_literal: true

require_relative "helper"

# client/contract/cases.json, through every way to ask.
class ContractTest < Minitest::Test
  include Sending
  include Statwit::Minitest

  CASES.reject { |one| one["way"] }.each do |one|
    define_method("test_#{one["name"].tr(" ", "_")}") do
      drop(metrics) if one["drop"]
      emit(metrics, *one["send"])
      shown = one["outcome"] == "error" ? refused(one) : judged(one)
      (one["says"] || []).each { |part| assert_includes shown, part }
    end
  end

  def refused(one)
    assert_raises(Statwit::Malformed) { assert_recorded(*one["expect"]) }
    assert_raises(Statwit::Malformed) { metrics.expect(*one["expect"]) }.message
  end

  def judged(one)
    report = metrics.ask(*one["expect"])
    assert_equal one["outcome"], report.verdict, report.text
    if one["outcome"] == "pass"
      metrics.expect(*one["expect"])
      assert_recorded(*one["expect"])
      assert_predicate report, :pass?
    else
      inconclusive = one["outcome"] == "inconclusive" && Statwit::Inconclusive
      assert_includes assert_raises(inconclusive || Minitest::Assertion) { assert_recorded(*one["expect"]) }.message, report.text
      assert_includes assert_raises(inconclusive || Statwit::NotRecorded) { metrics.expect(*one["expect"]) }.message, report.text
      refute_predicate report, :pass? if one["outcome"] == "fail"
    end
    report.text
  end
end

# What a test writes in each way of ways.json. Each must fail the test.
class WaysTest < Minitest::Test
  include Sending

  WAYS = {
    "claim" => [->(one) { assert_recorded(*one["expect"]) }, ->(one) { metrics.expect(*one["expect"]) }],
    "wait" => [->(one) { assert_recorded(*one["expect"], within: 0.01) }, ->(_) { assert_statsd_increment "x", within: 0.01 }],
    "report" => [->(one) { assert metrics.ask(*one["expect"]).pass? }],
    "negated report" => [->(one) { refute metrics.ask(*one["expect"]).pass? }, ->(one) { refute_predicate metrics.ask(*one["expect"]), :pass? }],
    "alternative" => [->(one) { assert metrics.ask(*one["expect"]).pass? || true }],
    "negated block" => [->(_) { assert_no_statsd_calls("x") { emit metrics, "x:1|c" } }],
    "no calls" => [->(_) { assert_no_statsd_calls }, ->(_) { assert_no_statsd_calls "x" }],
    "zero times" => [->(_) { assert_statsd_increment "x", times: 0 }],
    "in" => [->(_) { refute_includes metrics, "x" }],
    "caught failure" => [->(one) { assert_raises(Minitest::Assertion) { assert_recorded(*one["expect"]) } },
                         ->(one) { assert_raises(Statwit::NotRecorded) { metrics.expect(*one["expect"]) } }],
    "catalog" => [->(one) { Dir.mktmpdir { |dir| assert metrics.verify(catalog(dir, one)).pass? } }],
    "lint" => [->(_) { assert metrics.lint.pass? }]
  }.freeze

  def test_every_way_of_the_table_is_tried
    table = JSON.parse(File.read(File.join(ENV.fetch("STATWIT_CONTRACT"), "ways.json")))
    listed = table.reject { |_, written| written["minitest"].start_with?("none: ") }.keys
    assert_equal listed.sort, WAYS.keys.sort
    assert_empty listed - CASES.map { |one| one["way"] }
  end

  CASES.select { |one| WAYS[one["way"]] }.each do |one|
    define_method("test_#{one["name"].tr(" ", "_")}") do
      WAYS[one["way"]].each do |way|
        failed = run_tests do
          define_method(:test_one) do
            drop(metrics)
            emit(metrics, *one["send"])
            instance_exec(one, &way)
          end
        end
        assert_equal 1, failed.size, "the test passed"
        one["says"].each { |part| assert_includes failed[0].message, part }
      end
    end
  end
end
