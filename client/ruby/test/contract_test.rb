# frozen_string_literal: true

require_relative "helper"

# client/contract/cases.json, through every way to ask.
class ContractTest < Minitest::Test
  include Sending
  include Statwit::Minitest

  JSON.parse(File.read(File.join(ENV.fetch("STATWIT_CONTRACT"), "cases.json"))).each do |one|
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
      assert_includes assert_raises(Minitest::Assertion) { assert_recorded(*one["expect"]) }.message, report.text
      assert_includes assert_raises(Statwit::NotRecorded) { metrics.expect(*one["expect"]) }.message, report.text
      refute_predicate report, :pass? if one["outcome"] == "fail"
    end
    report.text
  end
end
