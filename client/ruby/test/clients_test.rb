# frozen_string_literal: true

require_relative "helper"

# Real clients, as they are used. A client whose gem is not there is named in a line.
class ClientsTest < Minitest::Test
  include Statwit::Minitest

  def needs(feature, gem)
    require feature
  rescue LoadError
    puts "skip #{gem}: that gem is not installed here"
    skip "no #{gem}"
  end

  def test_dogstatsd_ruby
    needs "datadog/statsd", "dogstatsd-ruby"
    client = Datadog::Statsd.new(metrics.host, metrics.port, telemetry_enable: false)
    client.increment("login.attempt", tags: ["instance:failure"])
    client.gauge("queue.depth", 3)
    client.timing("events.latency", 480)
    client.flush(sync: true)
    client.close
    assert_statsd_increment "login.attempt", 1, tags: { instance: "failure" }
    assert_recorded "gauge queue.depth last == 3", "timing events.latency last == 480"
  end

  # Before it, ENV leads there; it sends in production alone.
  def test_statsd_instrument
    needs "statsd/instrument", "statsd-instrument"
    client = StatsD::Instrument::Environment.new(ENV.to_h.merge("STATSD_ENV" => "production", "STATSD_ADDR" => "#{metrics.host}:#{metrics.port}",
                                                                "STATSD_FLUSH_INTERVAL" => "0")).client
    client.increment("login.attempt", tags: { instance: "failure" })
    assert_statsd_increment "login.attempt", 1, tags: { instance: "failure" }, within: 30
  end

  def test_statsd_ruby
    needs "statsd", "statsd-ruby"
    client = Statsd.new(ENV.fetch("STATSD_HOST"), Integer(ENV.fetch("STATSD_PORT")))
    client.increment("login.attempt")
    client.gauge("queue.depth", 3)
    client.timing("events.latency", 480)
    assert_statsd_increment "login.attempt", 1
    assert_statsd_gauge "queue.depth", 3
    assert_statsd_measure "events.latency", 480
    assert_no_statsd_calls "errors.*"
  end
end
