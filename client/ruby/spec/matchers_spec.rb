# frozen_string_literal: true

require "rspec/autorun" if $PROGRAM_NAME == __FILE__
require "socket"
require "stringio"
require "statwit/rspec"

module Sending
  def emit(*lines)
    socket = UDPSocket.new
    lines.each { |line| socket.send(line, 0, metrics.host, metrics.port) }
    socket.close
  end

  def drop
    metrics.recorder.call("Put", "faults", { dogstatsd: [{ drop: 1, session: metrics.name }] })
  end

  def fail_with(text)
    raise_error(RSpec::Expectations::ExpectationNotMetError, text)
  end

  # Runs a group of examples with this body in an RSpec of its own: its examples, and what it printed.
  def run_group(**tags, &body)
    out = StringIO.new
    examples = []
    RSpec::Core::Sandbox.sandboxed do |config|
      config.output_stream = out
      config.include Sending
      config.include Statwit::RSpec, :statwit
      config.around(:each, :statwit) { |example| Statwit::RSpec.around(example, self) }
      group = RSpec.describe("inner", **tags, &body)
      reporter = config.reporter
      reporter.report(1) { group.run(reporter) }
      examples = group.examples
    end
    [examples, out.string]
  end
end

require "rspec/core/sandbox"
RSpec.configure { |config| config.include Sending }

RSpec.describe "matchers", :statwit do
  it "sees what a block triggers" do
    emit "login.attempt:1|c"
    expect { emit "login.attempt:2|c|#instance:failure" }
      .to trigger_statsd_increment("login.attempt", value: 2, times: 1, tags: { instance: "failure" })
    expect { emit "g:1|g", "t:2|ms", "h:3|h", "d:4|d", "s:x|s" }
      .to trigger_statsd_gauge("g", value: 1).and trigger_statsd_measure("t").and trigger_statsd_histogram("h")
      .and trigger_statsd_distribution("d").and trigger_statsd_set("s", value: "x")
    expect { nil }.not_to trigger_statsd_increment("login.attempt")
    expect { expect { nil }.to trigger_statsd_increment("login.attempt") }.to fail_with(/before the mark/)
    expect { expect { emit "a:1|c" }.not_to trigger_statsd_increment("a") }.to fail_with(/no incr a/)
  end

  it "sees what a session recorded" do
    emit "login.attempt:1|c"
    expect(metrics).to have_recorded("incr login.attempt sum == 1")
    expect(metrics).to have_recorded("incr login.attempt", "no any errors.*", within: 1)
    expect(metrics).not_to have_recorded("any errors.*")
    expect { expect(metrics).to have_recorded("incr login.attempts") }.to fail_with(/statwit: fail.*login\.attempt/m)
    expect { expect(metrics).not_to have_recorded("incr login.attempt") }.to fail_with(/must not hold/)
    expect { expect(metrics).not_to have_recorded("incr a ===") }.to raise_error(Statwit::Malformed, /\^/)
  end

  it "leads the environment there" do
    expect(ENV["DD_DOGSTATSD_PORT"]).to eq(metrics.port.to_s)
  end

  {
    "to" => -> { expect(metrics).to have_recorded("no any x") },
    "not_to" => -> { expect(metrics).not_to have_recorded("incr x") },
    "or" => -> { expect(metrics).to have_recorded("incr x").or have_recorded("incr a") },
    "not_to of a block" => -> { expect { emit "x:1|c" }.not_to trigger_statsd_increment("x") },
    "to of a block" => -> { expect { emit "x:1|c" }.to trigger_statsd_increment("x", times: 0) },
    "or of a block" => -> { expect { emit "x:1|c" }.to trigger_statsd_increment("x").or trigger_statsd_increment("a") },
    "a negated matcher" => lambda {
      RSpec::Matchers.define_negated_matcher(:have_not_recorded, :have_recorded)
      expect(metrics).to have_not_recorded("incr x")
    },
    "a report" => -> { expect(metrics.ask("incr x")).not_to be_pass }
  }.each do |way, body|
    it "inconclusive is no pass by #{way}" do
      examples, shown = run_group(statwit: true) do
        it("inner") do
          emit "a:1|c"
          drop
          emit "x:1|c"
          instance_exec(&body)
        end
      end
      expect(examples.map { |e| e.execution_result.status }).to eq([:failed])
      expect(shown).to match(/inconclusive/)
    end
  end

  it "judges the claims of a tag behind the example" do
    examples, shown = run_group do
      it("good", statwit: ["incr a", "no any errors.*"]) { emit "a:1|c" }
      it("bad", statwit: "incr a") { emit "b:1|c" }
      it("inconclusive", statwit: "no any a") { [drop, emit("a:1|c")] }
      it("malformed", statwit: "incr a ===") { nil }
      it("its own failure", statwit: "incr a") { raise "mine" }
      it("untagged") { metrics }
    end
    expect(examples.map { |e| e.execution_result.status }).to eq(%i[passed failed failed failed failed failed])
    expect(shown).to match(/metrics recorded:\s+count +b\{\}/)
    expect(shown).to include("statwit: inconclusive", "mine").and match(/undefined local variable or method .metrics/)
  end
end

RSpec.describe Statwit::Claim do
  it "quotes what the language would take for its own" do
    expect(described_class.text(:set, "a b", value: 'say "x"', tags: { "k" => "v,w", "e" => nil }))
      .to eq('set "a b"{k:"v,w",e} where value == "say \\"x\\""')
    expect(described_class.text(:measure, "t", value: 7, times: 2, sample_rate: 0.5))
      .to eq("timing t where value == 7 and rate == 0.5 samples == 2")
  end
end
