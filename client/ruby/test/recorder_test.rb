# frozen_string_literal: true

require_relative "helper"
require "rbconfig"
require "tmpdir"

class RecorderTest < Minitest::Test
  include Sending
  include Statwit::Minitest

  def unavailable(*says, &block)
    message = assert_raises(Statwit::Unavailable, &block).message
    says.each { |part| assert_includes message, part }
  end

  def program(folder, text)
    path = File.join(folder, "statwit")
    File.write(path, "#!/bin/sh\n#{text}\n", perm: 0o755)
    path
  end

  def label_of(session)
    session.recorder.call("Get", "sessions")["sessions"].find { |s| s["name"] == session.name }["label"]
  end

  def test_a_session_says_which_test_it_is_of
    assert_equal "RecorderTest#test_a_session_says_which_test_it_is_of", label_of(metrics)
    session = Statwit::Recorder.shared.session(label: "é" * 600)
    assert_equal "é" * 512, label_of(session)
  ensure
    session&.close
  end

  def test_no_program_names_what_to_set
    with_env("STATWIT_BIN" => nil, "PATH" => "/nowhere") { unavailable("STATWIT_BIN", "STATWIT_URL") { Statwit::Recorder.start } }
    ["/nowhere/statwit", "/etc/passwd", Dir.tmpdir].each do |path|
      with_env("STATWIT_BIN" => path) { unavailable(path) { Statwit::Recorder.start } }
    end
  end

  def test_the_program_of_the_path_and_a_home_that_is_not_there
    Dir.mktmpdir do |bin|
      File.symlink(ENV.fetch("STATWIT_BIN"), File.join(bin, "statwit"))
      with_env("STATWIT_BIN" => nil, "PATH" => bin, "HOME" => "/nowhere") { Statwit::Recorder.start.stop }
    end
  end

  {
    "exit 3" => "status 3",
    "kill -9 $$" => "signal 9",
    "echo no json; cat" => "does not answer as statwit does",
    "echo 5; cat" => "does not answer as statwit does",
    "yes | tr -d '\\n'" => "does not answer as statwit does",
    "echo '{\"api\":99,\"http\":\"http://127.0.0.1:1\"}'; cat" => "api 99, and this gem (0.1.0) speaks api 1",
    "echo '{\"http\":\"http://127.0.0.1:1\"}'; cat" => "api nil"
  }.each do |text, says|
    define_method("test_a_program_that_is_no_statwit_of_ours: #{text}") do
      Dir.mktmpdir { |folder| with_env("STATWIT_BIN" => program(folder, text)) { unavailable(says) { Statwit::Recorder.start } } }
    end
  end

  { "127.0.0.1:8125" => "no URL", "udp://127.0.0.1" => "no URL", "http://" => "no URL", "a b" => "no URL",
    "http://127.0.0.1:1" => "does not answer" }.each do |url, says|
    define_method("test_a_url_that_leads_nowhere: #{url}") do
      with_env("STATWIT_URL" => url) { unavailable(says, url) { Statwit::Recorder.find } }
    end
  end

  { "200 OK\r\n\r\n<html>" => "is it a statwit server", "200 OK\r\n\r\n[]" => "is it a statwit server", "200 OK\r\n\r\n{}" => "api nil",
    "401 No\r\n\r\n{}" => "STATWIT_TOKEN", "" => "does not answer" }.each do |text, says|
    define_method("test_another_server: #{text.inspect}") do
      server = TCPServer.new("127.0.0.1", 0)
      answering = Thread.new do
        loop do
          client = server.accept
          client.gets("\r\n\r\n")
          client.write("HTTP/1.1 #{text}") unless text.empty?
          client.close
        end
      rescue IOError
        nil
      end
      with_env("STATWIT_URL" => "http://127.0.0.1:#{server.addr[1]}") { unavailable(says) { Statwit::Recorder.find } }
    ensure
      server.close
      answering.join
    end
  end

  def test_an_older_server_knows_no_label
    server = TCPServer.new("127.0.0.1", 0)
    asked = []
    says = "unknown field 'label'; did you mean 'table'?"
    answering = Thread.new do
      loop do
        client = server.accept
        head = client.gets("\r\n\r\n")
        asked << JSON.parse(client.read(head[/content-length: (\d+)/i, 1].to_i))
        status, text = asked.last["label"] ? ["400 No", { error: says }] : ["201 Made", { name: "a", env: {}, api_key: "", dogstatsd: { udp: "127.0.0.1:1" } }]
        client.write("HTTP/1.1 #{status}\r\nConnection: close\r\n\r\n#{JSON.generate(text)}")
        client.close
      end
    rescue IOError
      nil
    end
    recorder = Statwit::Recorder.new("http://127.0.0.1:#{server.addr[1]}")
    assert_equal "a", recorder.session("a", label: "b").name
    assert_equal [{ "name" => "a", "label" => "b" }, { "name" => "a" }], asked
    says = "no label today"
    assert_includes assert_raises(Statwit::Malformed) { recorder.session("a", label: "b") }.message, says
    assert_equal 3, asked.size
  ensure
    server.close
    answering.join
  end

  def test_the_server_of_the_url_is_not_started
    running = Statwit::Recorder.shared
    with_env("STATWIT_URL" => "#{running.url}/", "STATWIT_BIN" => "/nowhere/statwit") do
      found = Statwit::Recorder.find
      session = found.session("by-url")
      assert_equal "by-url", session.name
      2.times { session.close }
      found.stop
    end
    assert running.status["version"]
  end

  def test_the_settings_of_the_machine_do_not_matter
    hostile = { "DD_DOGSTATSD_SOCKET" => "/nowhere/dsd.socket", "DD_TAGS" => "team:x", "STATWIT_DB" => "/nowhere/statwit.db",
                "STATWIT_TOKEN" => "not\none", "http_proxy" => "http://127.0.0.1:1" }
    Dir.mktmpdir do |folder|
      with_env(hostile) do
        recorder = Statwit::Recorder.start(db: "#{folder}/kept.db")
        session = recorder.session
        emit session, "a:1|c"
        session.expect "incr a[] sum == 1"
        2.times { recorder.stop }
        unavailable("does not answer") { session.ask("incr a") }
      end
      assert_path_exists "#{folder}/kept.db"
    end
  end

  def test_a_home_that_cannot_be_written_to
    with_env(%w[HOME TMPDIR XDG_CACHE_HOME XDG_DATA_HOME XDG_RUNTIME_DIR].to_h { |name| [name, "/proc"] }) do
      recorder = Statwit::Recorder.start
      session = recorder.session
      emit session, "a:1|c"
      session.expect "incr a sum == 1"
      recorder.stop
    end
  end

  KILLED = <<~RUBY
    require "statwit"
    recorder = Statwit::Recorder.start
    Process.spawn("cat", out: File::NULL) # children that live on must not keep the server alive
    fork { $stdout.close; $stdin.read }
    puts recorder.status["pid"]
    $stdout.flush
    Process.kill(:KILL, Process.pid)
  RUBY

  def test_no_server_outlives_a_killed_test
    stdin, held = IO.pipe
    said, stdout = IO.pipe
    lib = File.dirname($LOADED_FEATURES.grep(%r{/statwit\.rb\z})[0])
    child = Process.spawn(RbConfig.ruby, "-I", lib, "-e", KILLED, in: stdin, out: stdout)
    [stdin, stdout].each(&:close)
    server = said.gets.to_i
    assert_equal 9, Process.wait2(child)[1].termsig
    assert system("timeout", "60", "tail", "--pid=#{server}", "-f", "/dev/null"), "the server lives on"
  ensure
    held.close
    said.close
  end

  def test_a_forked_worker_asks_the_same_server_and_leaves_it_running
    emit metrics, "a:1|c"
    metrics.expect "incr a"
    child = fork do
      fine = metrics.ask("incr a sum == 1").pass? && Statwit::Recorder.shared.session.recorder.url == metrics.recorder.url
      exit!(fine ? 0 : 1)
    end
    assert_predicate Process.wait2(child)[1], :success?
    metrics.expect "incr a sum == 1"
  end

  def test_within_waits_for_what_comes
    late = Thread.new { emit metrics, "late:1|c" }
    assert_statsd_increment "late", within: 30
    late.join
  end

  def test_what_comes_after_the_end_reaches_no_other_test
    ended = Statwit::Recorder.shared.session
    ended.close
    emit ended, "late:1|c"
    metrics.expect "no any *"
    refute(metrics.recorder.call("Get", "series?session=default")["series"].any?)
  end

  def test_lists_marks_and_reset
    emit metrics, "a.b:1|c|#env:ci", "c:2|g", "s:x|s", "_e{1,1}:T|x", "_sc|up|0", "bad"
    assert_equal(["a.b"], metrics.series("a.*").map { |s| s["name"] })
    assert_equal([2], metrics.samples("c").map { |s| s["value"] })
    assert_equal(["T"], metrics.events.map { |e| e["title"] })
    assert_equal(["ok"], metrics.checks.map { |c| c["status"] })
    assert_equal(["bad"], metrics.rejects.map { |r| r["text"] })
    assert_match(/a\.b\{env:ci\} samples=1 sum=1.*sum=- last=-.*event.*refused/m, metrics.table)
    metrics.mark!
    metrics.expect "no any *"
    assert_equal "nothing", metrics.table
    metrics.reset
    assert_predicate metrics.lint, :pass?
  end

  def test_a_list_is_whole
    60.times { emit metrics, "n:1|c\n" * 200 }
    metrics.expect "incr n samples == 12000"
    assert_equal 12_000, metrics.samples("n").size
  end

  def test_a_catalog
    Dir.mktmpdir do |folder|
      File.write("#{folder}/catalog.json", '{"metrics": {"a": {"type": "count"}}}')
      emit metrics, "a:1|c"
      assert_predicate metrics.verify("#{folder}/catalog.json"), :pass?
      emit metrics, "b:1|c"
      refute_predicate metrics.verify("#{folder}/catalog.json"), :pass?
    end
  end
end
