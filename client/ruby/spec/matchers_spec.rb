# frozen_string_literal: true

require "rspec/autorun" if $PROGRAM_NAME == __FILE__
require "socket"
require "stringio"
require "tmpdir"
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

  cases = JSON.parse(File.read(File.join(ENV.fetch("STATWIT_CONTRACT"), "cases.json")))
  # What an example writes in each way of ways.json. Each must fail the example.
  ways = {
    "claim" => [->(one) { expect(metrics).to have_recorded(*one["expect"]) }],
    "wait" => [->(one) { expect(metrics).to have_recorded(*one["expect"], within: 0.01) }],
    "report" => [->(one) { expect(metrics.ask(*one["expect"])).to be_pass }],
    "negated report" => [->(one) { expect(metrics.ask(*one["expect"])).not_to be_pass }],
    "alternative" => [->(one) { expect(metrics).to have_recorded(*one["expect"]).or have_recorded("incr a") },
                      ->(_) { expect { emit "x:1|c" }.to trigger_statsd_increment("x").or trigger_statsd_increment("a") }],
    "negated claim" => [->(one) { expect(metrics).not_to have_recorded(*one["expect"]) },
                        lambda { |one|
                          RSpec::Matchers.define_negated_matcher(:have_not_recorded, :have_recorded)
                          expect(metrics).to have_not_recorded(*one["expect"])
                        }],
    "negated block" => [->(_) { expect { emit "x:1|c" }.not_to trigger_statsd_increment("x") }],
    "zero times" => [->(_) { expect { emit "x:1|c" }.to trigger_statsd_increment("x", times: 0) }],
    "in" => [->(_) { expect(metrics).not_to include("x") }],
    "caught failure" => [lambda { |one|
      expect { expect(metrics).to have_recorded(*one["expect"]) }.to raise_error(RSpec::Expectations::ExpectationNotMetError)
    }],
    "behind the test" => [->(one) { RSpec.current_example.metadata[:statwit] = one["expect"] }],
    "catalog" => [lambda { |one|
      Dir.mktmpdir do |folder|
        File.write(File.join(folder, "catalog.json"), JSON.generate(one["catalog"]))
        expect(metrics.verify(File.join(folder, "catalog.json"))).to be_pass
      end
    }],
    "lint" => [->(_) { expect(metrics.lint).to be_pass }]
  }

  it "tries every way of the table" do
    table = JSON.parse(File.read(File.join(ENV.fetch("STATWIT_CONTRACT"), "ways.json")))
    listed = table.reject { |_, written| written["rspec"].start_with?("none: ") }.keys
    expect(ways.keys).to match_array(listed)
    expect(cases.map { |one| one["way"] }).to include(*listed)
  end

  cases.select { |one| ways[one["way"]] }.each do |one|
    ways[one["way"]].each_with_index do |body, n|
      it "#{one["name"]} (#{n + 1})" do
        examples, shown = run_group(statwit: true) do
          it("inner") do
            emit "a:1|c"
            drop
            emit(*one["send"])
            instance_exec(one, &body)
          end
        end
        expect(examples.map { |e| e.execution_result.status }).to eq([:failed])
        expect(shown).to include(*one["says"]) unless one["says"].empty?
      end
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
