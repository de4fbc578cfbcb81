# frozen_string_literal: true

# The application of the walk: with dogstatsd-ruby where that is, else with a socket.
begin
  require "datadog/statsd"
rescue LoadError
  require "socket"
end

def login(name)
  tag = "instance:#{name == "nobody" ? "failure" : "success"}"
  if defined?(Datadog::Statsd)
    client = Datadog::Statsd.new
    client.increment("login.attempt", tags: [tag])
    client.close
  else
    UDPSocket.new.send("login.attempt:1|c|##{tag}", 0, ENV.fetch("DD_AGENT_HOST"), ENV.fetch("DD_DOGSTATSD_PORT").to_i)
  end
end
