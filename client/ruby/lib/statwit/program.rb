# frozen_string_literal: true

module Statwit
  # The statwit program as a child of this process. It ends when no process holds the pipe that is its stdin.
  class Program
    @held = []
    class << self
      attr_reader :held

      # The path of the program: STATWIT_BIN, the one in this gem, the one in PATH.
      def find
        given = ENV["STATWIT_BIN"].to_s
        unless given.empty?
          return given if program?(given)

          raise Unavailable, "STATWIT_BIN is #{given.inspect}, which is no program that can be run"
        end
        inside = File.expand_path("../../libexec/statwit", __dir__)
        folders = ENV["PATH"].to_s.split(File::PATH_SEPARATOR)
        found = [inside, *folders.map { |folder| File.join(folder, "statwit") }].find { |path| program?(path) }
        found or raise Unavailable, "there is no statwit program for #{RUBY_PLATFORM} in this gem or in PATH: install it, set STATWIT_BIN " \
          "to its path, or start it elsewhere and set STATWIT_URL"
      end

      def start(args)
        new(find, args)
      end

      private

      def program?(path)
        File.file?(path) && File.executable?(path)
      end
    end

    attr_reader :path, :ready

    def initialize(path, args)
      @path = path
      stdin, @alive = IO.pipe
      @said, stdout = IO.pipe
      begin
        @pid = Process.spawn(path, *args, in: stdin, out: stdout)
      rescue SystemCallError => e
        raise Unavailable, "cannot start #{path}: #{e.message}"
      end
      [stdin, stdout].each(&:close)
      Program.held << @alive
      @ready = ready_line
    end

    def stop
      close
      wait
    end

    def kill
      Process.kill(:KILL, @pid)
      stop
    rescue Errno::ESRCH
      nil
    end

    private

    def ready_line
      line = @said.gets("\n", 1 << 16) or raise Unavailable, "#{@path} ended with #{wait || "no status"} before it was ready"
      told = JSON.parse(line.force_encoding("UTF-8"))
      return told if told.is_a?(Hash)

      raise JSON::ParserError
    rescue JSON::ParserError, Unavailable => e
      kill
      raise e.is_a?(Unavailable) ? e : Unavailable.new("#{@path} does not answer as statwit does")
    end

    def close
      Program.held.delete(@alive)
      [@alive, @said].each { |pipe| pipe.close unless pipe.closed? }
    end

    # The status in words. A server that does not end is killed.
    def wait
      return if @ended

      @ended = true
      waiter = Process.detach(@pid)
      Process.kill(:KILL, @pid) unless waiter.join(15)
      status = waiter.value
      status && "status #{status.exitstatus || "of signal #{status.termsig}"}"
    rescue Errno::ESRCH
      nil
    end
  end

  # A forked child must not keep the server alive.
  module CloseInChild
    def _fork
      super.tap { |pid| Program.held.each(&:close).clear if pid.zero? }
    end
  end
  Process.singleton_class.prepend(CloseInChild)
  private_constant :CloseInChild
end
