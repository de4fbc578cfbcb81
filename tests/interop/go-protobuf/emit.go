// Thousands of good, odd and broken protobuf bodies, each read by the Agent's own generated code and by the recorder: both
// must take it or refuse it, and what is taken must say the same.
//
// Where the recorder is stricter on purpose nothing is compared: text that is not UTF-8 (which the intake refuses), and numbers
// that end behind their packed list.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/DataDog/agent-payload/v5/gogen"
)

const mutants = 1500 // of each format

var (
	random    = rand.New(rand.NewSource(1))
	recorder  = os.Getenv("STATWIT_URL")
	now       = time.Now().Unix()
	plainName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_.]{0,90}$`)
	plainTag  = regexp.MustCompile(`^[a-z][a-z0-9:]{0,40}$`)
)

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// --- what both say ---------------------------------------------------------------------------------------------------

type row struct {
	Name, Type string
	Value      float64
	Timestamp  int64
	Interval   int64
	Unit       string
	Tags       []string
	Host       string
	Sketch     string
}

func (r row) String() string {
	slices.Sort(r.Tags)
	return fmt.Sprintf("%s %s %v @%d /%d %s [%s] %s %s", r.Name, r.Type, r.Value, r.Timestamp, r.Interval, r.Unit,
		strings.Join(slices.Compact(r.Tags), ","), r.Host, r.Sketch)
}

// What the generated code read. taken: it did; plain: nothing in it means more than it says (an empty name, a point of
// long ago, …), so that values can be compared.
type reading struct {
	taken, plain, utf8 bool
	rows               []string
}

func (r *reading) text(texts ...string) {
	for _, text := range texts {
		r.utf8 = r.utf8 && utf8.ValidString(text)
	}
}

func (r *reading) series(name string, tags []string) {
	r.text(name)
	r.text(tags...)
	r.plain = r.plain && plainName.MatchString(name)
	for _, tag := range tags {
		r.plain = r.plain && plainTag.MatchString(tag)
	}
}

func (r *reading) point(one row, values ...float64) {
	for _, value := range values {
		r.plain = r.plain && !math.IsNaN(value) && !math.IsInf(value, 0) && math.Abs(value) < 1e9 &&
			(value == 0 || math.Abs(value) > 1e-9)
	}
	r.plain = r.plain && one.Timestamp > now-600 && one.Timestamp <= now
	r.rows = append(r.rows, one.String())
}

func readSeries(body []byte) reading {
	var payload gogen.MetricPayload
	r := reading{taken: payload.Unmarshal(body) == nil, plain: true, utf8: true}
	types := []string{"gauge", "count", "rate", "gauge"}
	for _, s := range payload.Series {
		r.series(s.Metric, s.Tags)
		r.text(s.Unit, s.SourceTypeName)
		host := ""
		for _, resource := range s.Resources {
			r.text(resource.Type, resource.Name)
			r.plain = r.plain && resource.Type == "host" && host == "" && plainTag.MatchString(resource.Name)
			host = resource.Name
		}
		known := s.Type >= 0 && int(s.Type) < len(types)
		r.plain = r.plain && known && s.Interval > 0 && s.Interval < 1000 && (s.Unit == "" || plainTag.MatchString(s.Unit))
		for _, p := range s.Points {
			one := row{Name: s.Metric, Value: p.Value, Timestamp: p.Timestamp, Interval: s.Interval, Unit: s.Unit,
				Tags: slices.Clone(s.Tags), Host: host}
			if known {
				one.Type = types[s.Type]
			}
			r.point(one, p.Value)
		}
	}
	return r
}

func sketch(count int64, sum, min, max, avg float64, bins [][2]int64) string {
	return fmt.Sprint(count, sum, min, max, avg, bins)
}

func readSketches(body []byte) reading {
	var payload gogen.SketchPayload
	r := reading{taken: payload.Unmarshal(body) == nil, plain: true, utf8: true}
	for _, s := range payload.Sketches {
		r.series(s.Metric, s.Tags)
		r.text(s.Host)
		r.plain = r.plain && plainTag.MatchString(s.Host)
		one := row{Name: s.Metric, Type: "distribution", Tags: s.Tags, Host: s.Host}
		for _, d := range s.Distributions {
			r.plain = r.plain && d.Cnt > 0
			one.Timestamp, one.Value, one.Sketch = d.Ts, d.Avg, sketch(d.Cnt, d.Sum, d.Min, d.Max, d.Avg, nil)
			r.point(one, d.Min, d.Max, d.Avg, d.Sum)
		}
		for _, d := range s.Dogsketches {
			r.plain = r.plain && d.Cnt > 0 && len(d.K) == len(d.N)
			var bins [][2]int64
			for i := range min(len(d.K), len(d.N)) {
				bins = append(bins, [2]int64{int64(d.K[i]), int64(d.N[i])})
			}
			one.Timestamp, one.Value, one.Sketch = d.Ts, d.Avg, sketch(d.Cnt, d.Sum, d.Min, d.Max, d.Avg, bins)
			r.point(one, d.Min, d.Max, d.Avg, d.Sum)
		}
	}
	return r
}

// --- the recorder ------------------------------------------------------------------------------------------------------

func ask(method, path string, body []byte, key string) (int, []byte) {
	request, err := http.NewRequest(method, recorder+path, bytes.NewReader(body))
	check(err)
	request.Header.Set("DD-API-KEY", key)
	request.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err)
	return answer.StatusCode, text
}

var seen int64 // ids up to this one were compared

func recorded() []string {
	_, text := ask("GET", fmt.Sprintf("/recorder/v1/samples?session=default&limit=10000&since=%d", seen), nil, "")
	var list struct {
		Samples []struct {
			row
			ID     int64
			Sketch *struct {
				Count              int64
				Sum, Min, Max, Avg float64
				Bins               [][2]int64
			}
		}
	}
	check(json.Unmarshal(text, &list))
	var rows []string
	for _, s := range list.Samples {
		if s.Sketch != nil {
			s.row.Sketch = sketch(s.Sketch.Count, s.Sketch.Sum, s.Sketch.Min, s.Sketch.Max, s.Sketch.Avg, s.Sketch.Bins)
		}
		rows = append(rows, s.row.String())
		seen = max(seen, s.ID)
	}
	return rows
}

// --- the bodies --------------------------------------------------------------------------------------------------------

func varint(n uint64) []byte {
	return binary.AppendUvarint(nil, n)
}

func field(number, kind uint64, rest ...[]byte) []byte {
	return append(varint(number<<3|kind), bytes.Join(rest, nil)...)
}

func message(number uint64, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return field(number, 2, varint(uint64(len(body))), body)
}

func text(number uint64, s string) []byte {
	return message(number, []byte(s))
}

func double(number uint64, value float64) []byte {
	return field(number, 1, binary.LittleEndian.AppendUint64(nil, math.Float64bits(value)))
}

// Pieces that are put before, after and between the fields of each message.
func oddities() [][]byte {
	var odd [][]byte
	long := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 1) }
	for number := uint64(1); number <= 11; number++ {
		odd = append(odd, field(number, 0, varint(7)), field(number, 0, long(4)), field(number, 0, long(9)),
			field(number, 0, long(10)), field(number, 0, varint(1<<32+5)), double(number, 1.5), text(number, ""),
			text(number, "abc"), message(number, field(1, 0, varint(3))), field(number, 2, varint(1<<40)),
			field(number, 2, varint(math.MaxUint64)), field(number, 5, []byte("abcd")), field(number, 5, []byte("abc")),
			field(number, 3), field(number, 4), field(number, 3, field(1, 0, varint(5)), field(number, 4)),
			field(number, 3, field(2, 3), text(9, "x"), field(2, 4), field(1, 1, []byte("12345678")), field(number+1, 4)),
			field(number, 3, field(1, 2, varint(100)), field(number, 4)), field(number, 6), field(number, 7), field(number, 2, []byte{0x81, 0x80, 0x00}, []byte("x")))
	}
	return append(odd, []byte{0}, []byte{0, 0}, []byte{2}, []byte{7}, []byte{0x80}, long(12), field(0, 2, varint(0)),
		field(1000, 0, varint(1)), field(1<<29-1, 2, varint(2), []byte("ab")), field(1<<29, 0, varint(1)),
		field(1<<32|2, 2, varint(1), []byte("n")), field(12, 0, long(9)), field(12, 1, []byte("1234567")),
		field(12, 2, varint(3), []byte("ab")))
}

type format struct {
	name, path string
	read       func([]byte) reading
	shape      shape
	bodies     [][]byte
}

func (f *format) add(body []byte) {
	f.bodies = append(f.bodies, body)
}

// Each message of the tree with each oddity before and after its first field and at its end.
func (f *format) addOdd(build func(at int, odd []byte) []byte, messages int) {
	for at := range messages * 3 {
		for _, odd := range oddities() {
			f.add(build(at, odd))
		}
	}
}

// `parts` with the oddity at one of three places when it is this message's turn.
func with(turn, at int, odd []byte, parts ...[]byte) []byte {
	if at >= 0 && at/3 == turn {
		where := []int{0, 1, len(parts)}[at%3]
		parts = slices.Insert(slices.Clone(parts), where, odd)
	}
	return bytes.Join(parts, nil)
}

func seriesWith(at int, odd []byte) []byte {
	point := with(2, at, odd, double(1, 2.5), field(2, 0, varint(uint64(now))))
	resource := with(3, at, odd, text(1, "host"), text(2, "web"))
	origin := with(5, at, odd, field(4, 0, varint(10)), field(5, 0, varint(11)), field(6, 0, varint(12)))
	metadata := with(4, at, odd, message(1, origin))
	series := with(1, at, odd, message(1, resource), text(2, "a.count"), text(3, "env:ci"), text(3, "b"), message(4, point),
		field(5, 0, varint(1)), text(6, "byte"), text(7, "check"), field(8, 0, varint(10)), message(9, metadata))
	return with(0, at, odd, message(1, series), message(1, text(2, "b"), field(8, 0, varint(1)),
		message(4, double(1, -1), field(2, 0, varint(uint64(now-9))))))
}

func sketchesWith(at int, odd []byte) []byte {
	numbers := [][]byte{field(1, 0, varint(uint64(now))), field(2, 0, varint(3)), double(3, 1), double(4, 4), double(5, 2.5),
		double(6, 7.5)}
	older := with(2, at, odd, numbers...)
	newer := with(3, at, odd, append(numbers, message(7, varint(2), varint(1339<<1), varint(3)), message(8, varint(1), varint(1), varint(1)))...)
	single := append(slices.Clone(numbers), field(7, 0, varint(2678)), field(8, 0, varint(3)))
	sketch := with(1, at, odd, text(1, "a.latency"), text(2, "web"), message(3, older), text(4, "env:ci"), message(7, newer),
		message(7, single...), message(8, message(1, field(4, 0, varint(10)))))
	return with(0, at, odd, message(1, sketch), message(2, text(1, "7.50.0")))
}

func (f *format) mutate(n int) {
	whole := f.bodies[0]
	for range n {
		body := slices.Clone(whole)
		for range 1 + random.Intn(3) {
			i := random.Intn(len(body))
			j := min(i+random.Intn(12), len(body))
			switch random.Intn(6) {
			case 0:
				body[i] ^= 1 << random.Intn(8)
			case 1:
				body[i] = byte(random.Intn(256))
			case 2:
				body = append(body[:i:i], body[j:]...)
			case 3:
				body = slices.Insert(body, i, slices.Clone(body[i:j])...)
			case 4:
				body = slices.Insert(body, i, byte(random.Intn(256)))
			case 5:
				body = body[:i+1]
			}
			if len(body) == 0 {
				body = []byte{0}
			}
		}
		f.add(body)
	}
}

// --- comparing ---------------------------------------------------------------------------------------------------------

// Which fields of a message are messages, or lists that may be packed.
type shape struct {
	messages         map[uint64]shape
	varints, doubles []uint64
}

var (
	metadataShape = shape{messages: map[uint64]shape{1: {}}}
	seriesShape   = shape{messages: map[uint64]shape{1: {messages: map[uint64]shape{1: {}, 4: {}, 9: metadataShape}}}}
	sketchesShape = shape{messages: map[uint64]shape{2: {}, 1: {messages: map[uint64]shape{
		3: {doubles: []uint64{7, 10}, varints: []uint64{8, 9}}, 7: {varints: []uint64{7, 8}}, 8: metadataShape}}}}
)

// Whether there is something in a well-formed body that gogo takes and the recorder refuses: a number that begins in a packed
// list and ends behind it.
func (s shape) refused(body []byte) bool {
	for len(body) > 0 {
		tag, n := binary.Uvarint(body)
		if n <= 0 {
			return false
		}
		body = body[n:]
		switch tag & 7 {
		case 0:
			_, n = binary.Uvarint(body)
		case 1:
			n = 8
		case 2:
			size, m := binary.Uvarint(body)
			if m <= 0 || size > uint64(len(body)-m) {
				return false
			}
			n = m + int(size)
			number, inside := uint64(uint32(tag>>3)), body[m:n]
			inner, known := s.messages[number]
			if size > 0 && (slices.Contains(s.doubles, number) && size%8 != 0 ||
				slices.Contains(s.varints, number) && inside[size-1] >= 0x80 || known && inner.refused(inside)) {
				return true
			}
		case 5:
			n = 4
		case 3, 4:
			continue // what is between them is no field, but reads like one
		default:
			return false
		}
		if n <= 0 || n > len(body) {
			return false
		}
		body = body[n:]
	}
	return false
}

func (f *format) compare() (compared, equal, refused, failed int) {
	for _, body := range f.bodies {
		want := f.read(body)
		if want.taken && (!want.utf8 || f.shape.refused(body)) {
			continue
		}
		compared++
		status, answer := ask("POST", f.path, body, "differential")
		rows := recorded()
		slices.Sort(rows)
		slices.Sort(want.rows)
		switch {
		case (status == 202) != want.taken:
			fmt.Printf("%s: taken %v, but the recorder says %d %s: %x\n", f.name, want.taken, status, answer, body)
			failed++
		case !want.taken:
			refused++
		case want.plain && !slices.Equal(rows, want.rows):
			fmt.Printf("%s: read\n  %s\nrecorded\n  %s\n%x\n", f.name, strings.Join(want.rows, "\n  "), strings.Join(rows, "\n  "), body)
			failed++
		case want.plain:
			equal++
		}
	}
	return
}

func main() {
	var last []byte
	failed := 0
	for _, f := range []*format{{name: "series", path: "/api/v2/series", read: readSeries, shape: seriesShape, bodies: [][]byte{seriesWith(-1, nil)}},
		{name: "sketches", path: "/api/beta/sketches", read: readSketches, shape: sketchesShape, bodies: [][]byte{sketchesWith(-1, nil)}}} {
		if f.name == "series" {
			f.addOdd(seriesWith, 6)
		} else {
			f.addOdd(sketchesWith, 4)
		}
		f.mutate(mutants)
		compared, equal, refused, wrong := f.compare()
		fmt.Printf("%s: %d bodies, %d compared: %d with equal rows, %d refused by both, %d differ\n", f.name, len(f.bodies), compared,
			equal, refused, wrong)
		failed += wrong
		// Neither side of the comparison may run empty.
		if equal < len(f.bodies)/10 || refused < len(f.bodies)/10 {
			failed++
		}
		last = append(last, message(1, text(2, "bodies"), text(3, "format:"+f.name), field(8, 0, varint(1)), field(5, 0, varint(3)),
			message(4, double(1, float64(len(f.bodies))), field(2, 0, varint(uint64(now)))))...)
	}
	if failed > 0 {
		os.Exit(1)
	}
	status, _ := ask("POST", "/api/v2/series", last, os.Getenv("DD_API_KEY"))
	if status != 202 {
		os.Exit(1)
	}
}
