# frozen_string_literal: true

# Asserts which metrics a program emitted, with a statwit recorder (see the README).
#
#     recorder = Statwit::Recorder.find
#     metrics = recorder.session
#     ENV.update(metrics.env)
#     run_the_program
#     metrics.expect("incr login.attempt{instance:failure} sum == 1")
#
# Standard library only. A Recorder and a Session may be used from several threads, and in forked processes; each thread has a
# connection of its own.

require "json"
require "net/http"
require "uri"
require_relative "statwit/version"
require_relative "statwit/program"
require_relative "statwit/session"

module Statwit
  API = 1 # the number in the ready line and in the status that this gem was written for
  ANSWER_S = 60 # for an answer, beyond the time that the question itself may wait

  # No recorder: there is no program, it does not start, or the server does not answer as one.
  class Unavailable < StandardError; end

  # The server refused a question; the message shows the place.
  class Malformed < ArgumentError
    attr_reader :status

    def initialize(text, status = nil)
      super(text)
      @status = status
    end
  end

  # A verdict that is no `pass`. The message is the server's explanation.
  class NotPassed < StandardError
    attr_reader :report

    def initialize(report)
      super(report.to_s)
      @report = report
    end
  end
  private_constant :NotPassed # who rescues both takes the one for the other

  # The verdict is `fail`.
  class NotRecorded < NotPassed; end

  # Something was lost that could have changed the verdict. This is no failed assertion, for a test that waits for one.
  class Inconclusive < NotPassed; end

  # A running statwit: one that somebody else runs (`Recorder.new(url)`), or a private one (`Recorder.start`).
  class Recorder
    LABEL_MAX = 1024 # bytes
    NO_LABELS = "unknown field 'label'" # says an older server
    private_constant :LABEL_MAX

    attr_reader :url

    # The recorder of this test run, found or started when it is first asked for. Forked workers share it. A private one ends with
    # this process: nothing stops it at_exit, where Minitest runs the tests.
    def self.shared
      SHARED_LOCK.synchronize { @shared ||= find }
    end

    # The recorder of STATWIT_URL where that is set, else a private one.
    def self.find(**start)
      url = ENV["STATWIT_URL"].to_s
      return self.start(**start) if url.empty?

      new(url).tap(&:check)
    end

    # A private recorder on free ports. It ends with this process, however that ends. `db`: a file for the recording.
    def self.start(db: nil, args: [])
      program = Program.start(["serve", "--private", *(["--db", db.to_s] if db), *args])
      Statwit.check_api(program.ready["api"], program.path)
      new(program.ready["http"], token: nil, program: program)
    rescue Unavailable
      program&.kill
      raise
    end

    def initialize(url, token: ENV["STATWIT_TOKEN"], program: nil)
      @at = URI.parse(url.to_s)
      raise URI::InvalidURIError unless @at.is_a?(URI::HTTP) && @at.host

      @url = url.chomp("/")
      @token = token
      @program = program
      @key = :"statwit #{object_id}"
    rescue URI::InvalidURIError
      raise Unavailable, "#{url.inspect} is no URL of a statwit server, such as http://127.0.0.1:8125"
    end

    # Raises Unavailable unless a statwit of the right kind answers.
    def check
      Statwit.check_api(status["api"], url)
    end

    def status
      call("Get", "status")
    end

    # A new session, empty and apart from all others. The label says whose it is: the name of a test.
    def session(name = nil, label: nil)
      label = label.encode("UTF-8", invalid: :replace, undef: :replace).delete("\0").byteslice(0, LABEL_MAX).scrub("") if label
      begin
        made = call("Post", "sessions", { name: name, label: label }.compact)
      rescue Malformed => e
        # An older server knows no labels, and is as good without one.
        raise unless label && e.message.start_with?(NO_LABELS)

        label = nil
        retry
      end
      Session.new(self, made)
    end

    # Ends a private recorder; closes the connection to another.
    def stop
      disconnect
      @program&.stop
      @program = nil
    end

    # One request of the control API; the answer's JSON.
    def call(method, path, body = nil, wait_s: 0)
      request = Net::HTTP.const_get(method).new("#{@at.path.chomp("/")}/recorder/v1/#{path}", "Content-Type" => "application/json")
      request["Authorization"] = "Bearer #{@token}" if @token
      request.body = JSON.generate(body) if body
      answer_of(answer(request, wait_s), "#{method} #{path}")
    end

    private

    def answer(request, wait_s)
      kept = connection?
      connect(wait_s).request(request)
    rescue SystemCallError, SocketError, IOError, Timeout::Error, OpenSSL::SSL::SSLError, Net::ProtocolError, Net::HTTPBadResponse => e
      disconnect
      # A kept connection may have been closed by the server; only then the same question is asked once more.
      retry if kept && [EOFError, Errno::ECONNRESET, Errno::EPIPE].include?(e.class)
      raise Unavailable, "#{url} does not answer: #{e.message}"
    end

    def answer_of(response, what)
      code = response.code.to_i
      raise Unavailable, "#{url} asks for a token: set STATWIT_TOKEN" if code == 401

      text = response.body.to_s.dup.force_encoding("UTF-8")
      value = text.empty? ? {} : JSON.parse(text)
      raise JSON::ParserError unless value.is_a?(Hash)
      raise Unavailable, "#{url}: #{value["error"] || code}" if code >= 500
      raise Malformed.new((value["text"] || value["error"] || "#{what}: #{code}").chomp, code) if code >= 400

      value
    rescue JSON::ParserError
      raise Unavailable, "#{url} did not answer with JSON: is it a statwit server?"
    end

    # This thread's connection; a forked child makes one of its own.
    def connection?
      held = Thread.current.thread_variable_get(@key)
      held && held[0] == Process.pid && held[1].started?
    end

    def connect(wait_s)
      unless connection?
        http = Net::HTTP.new(@at.hostname, @at.port, nil)
        http.use_ssl = @at.scheme == "https"
        Thread.current.thread_variable_set(@key, [Process.pid, http.start])
      end
      http = Thread.current.thread_variable_get(@key)[1]
      http.read_timeout = wait_s + ANSWER_S
      http
    end

    def disconnect
      Thread.current.thread_variable_get(@key)[1].finish if connection?
    rescue IOError
      nil
    ensure
      Thread.current.thread_variable_set(@key, nil)
    end
  end

  SHARED_LOCK = Mutex.new
  private_constant :SHARED_LOCK

  def self.check_api(found, who)
    return if found == API

    raise Unavailable, "#{who} speaks api #{found.inspect}, and this gem (#{VERSION}) speaks api #{API}: install the two of one version"
  end
end
