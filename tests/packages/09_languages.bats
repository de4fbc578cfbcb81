#!/usr/bin/env bats
# The gem, the jars and the Go modules of a release, installed offline, with nothing in PATH; and made twice.
load packages

needs() { local tool; for tool in "$@"; do command -v "$tool" >/dev/null || skip "no $tool on this machine"; done; }

# Made again, by another user's habits, each file is what it was.
same_twice() { # script, folder
    find "$TOP/build/$2" -type f -exec sha256sum {} + >sums
    (umask 077 && TZ=Asia/Tokyo "$TOP/.ci/pack/$1")
    sha256sum --check --quiet sums
}

platform() { case $ARCH in aarch64) echo "$1" ;; *) echo "$2" ;; esac; }

@test "gem: its program records and judges; the gem for other systems says what is missing; two builds are the same" {
    needs ruby gem
    "$TOP/.ci/pack/gem"
    export GEM_HOME=$PWD/gems
    gem install --quiet --local --no-document "$TOP/build/gem/statwit-$VERSION-$ARCH-linux.gem"
    cat >story.rb <<'END'
require "statwit"
require "socket"
raise Statwit::Program.find unless Statwit::Program.find.start_with?(ENV["GEM_HOME"])
metrics = Statwit::Recorder.find.session
UDPSocket.new.send("a:1|c", 0, metrics.host, metrics.port)
metrics.expect("incr a sum == 1")
puts "recorded"
END
    run env PATH=/nowhere "$(command -v ruby)" story.rb
    exits 0
    has recorded
    ls gems/gems/*/licences/gnutls28/COPYING.LESSER
    rm -r gems
    gem install --quiet --local --no-document "$TOP/build/gem/statwit-$VERSION.gem"
    run env PATH=/nowhere "$(command -v ruby)" -e 'require "statwit"; Statwit::Recorder.find'
    exits 1
    has "no statwit program"
    same_twice gem gem
}

@test "jar: its program records and judges; without it the error says what is missing; two builds are the same" {
    needs mvn javac
    "$TOP/.ci/pack/jar"
    cat >Story.java <<'END'
import io.statwit.junit5.*;
class Story {
    public static void main(String[] none) throws Exception {
        try (Recorder recorder = Recorder.find(); Metrics metrics = recorder.session()) {
            metrics.sink().accept("a:1|c");
            metrics.expect("incr a sum == 1");
            System.out.println("recorded");
        }
    }
}
END
    local jar=$TOP/build/jar/statwit-junit5-$VERSION
    # What JUnit brings is in the user's repository, for maven has compiled with it.
    local others
    others=$(find "$HOME/.m2/repository" -name 'apiguardian-api-*.jar' -o -name 'junit-jupiter-api-*.jar' -o -name 'opentest4j-*.jar' | tr '\n' ':')
    javac -cp "$jar.jar:$others" Story.java
    run env PATH=/nowhere "$(command -v java)" -cp ".:$jar.jar:$jar-linux-$(platform aarch64 amd64).jar:$others" Story
    exits 0
    has recorded
    run env PATH=/nowhere "$(command -v java)" -cp ".:$jar.jar:$others" Story
    exits 1
    has "no statwit program"
    same_twice jar jar
}

@test "Go: the modules are had from the archive alone, their program records and judges; two builds are the same" {
    needs go
    "$TOP/.ci/pack/go-modules"
    tar -xf "$TOP/build/go-modules/statwit-$VERSION-go-modules.tar"
    mkdir app
    cd app
    cat >app_test.go <<'END'
package app

import (
	"net"
	"testing"

	_ "github.com/statwit/statwit/client/go/statwitbin"
	"github.com/statwit/statwit/client/go/statwittest"
)

func TestStory(t *testing.T) {
	metrics := statwittest.New(t)
	socket, err := net.Dial("udp", metrics.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = socket.Write([]byte("a:1|c")); err != nil {
		t.Fatal(err)
	}
	metrics.Expect("incr a sum == 1")
}
END
    export GOPROXY="file://$BATS_TEST_TMPDIR/statwit-$VERSION-go-modules" GOSUMDB=off GOFLAGS='-modcacherw -mod=mod' GOMODCACHE=$PWD/../modules
    go mod init app
    go get "github.com/statwit/statwit/client/go/statwitbin@v$VERSION"
    run env PATH="$(dirname "$(command -v go)")" CGO_ENABLED=0 go test -count=1 ./...
    exits 0
    same_twice go-modules go-modules
}
