# frozen_string_literal: true

require "minitest/autorun"
require "socket"
require "statwit/minitest"
require "tmpdir"

CASES = JSON.parse(File.read(File.join(ENV.fetch("STATWIT_CONTRACT"), "cases.json")))

module Sending
  # Sends DogStatsD lines to a session, each as a datagram.
  def emit(session, *lines)
    socket = UDPSocket.new
    lines.each { |line| socket.send(line, 0, session.host, session.port) }
  ensure
    socket&.close
  end

  # The session's datagrams are lost from now on.
  def drop(session)
    session.recorder.call("Put", "faults", { dogstatsd: [{ drop: 1, session: session.name }] })
  end

  # The catalog of a case of the contract, as a file in this folder.
  def catalog(folder, one)
    File.join(folder, "catalog.json").tap { |file| File.write(file, JSON.generate(one["catalog"])) }
  end

  # Runs the block with these variables; nil takes one away.
  def with_env(variables)
    before = variables.keys.to_h { |name| [name, ENV[name]] }
    ENV.update(variables)
    yield
  ensure
    ENV.update(before)
  end

  # Runs a test class with this body, and returns its failures.
  def run_tests(&body)
    tests = Class.new(Minitest::Test) do
      include Sending
      include Statwit::Minitest
      class_eval(&body)
    end
    Minitest::Runnable.runnables.delete(tests)
    tests.runnable_methods.flat_map { |name| tests.new(name).run.failures }
  end
end
