package lesson

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/wishdesk/wishdesk/workflow"
)

var zone = time.FixedZone("UTC+8", 8*3600)

// monday is 00:00 in zone.
var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, zone)

// Each member is given each lesson of their branches' plans exactly once, not before
// its day and the hour that they had chosen by then, whatever the hours, how often and
// by how many replicas it is asked, however late these see what others gave.
func TestEachLessonOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		branches := []string{"一", "二", "三"}
		type key struct {
			person workflow.PersonID
			lesson int64
		}
		type member struct {
			id   workflow.PersonID
			of   []string
			hour int
		}
		var members []member
		for i := range rapid.IntRange(1, 4).Draw(t, "members") {
			m := member{id: workflow.PersonID(i + 1), hour: rapid.IntRange(LeastHour, MostHour).Draw(t, "hour")}
			m.of = rapid.SliceOfNDistinct(rapid.SampledFrom(branches), 1, 3, rapid.ID).Draw(t, "branches")
			members = append(members, m)
		}
		var plan []Planned
		for i := range rapid.IntRange(1, 5).Draw(t, "lessons") {
			for _, b := range rapid.SliceOfNDistinct(rapid.SampledFrom(branches), 1, 3, rapid.ID).Draw(t, "planned") {
				plan = append(plan, Planned{Branch: b, Lesson: int64(i + 1), Day: DayOf(monday.AddDate(0, 0, rapid.IntRange(0, 5).Draw(t, "day")), zone)})
			}
		}
		first := map[key]Day{}
		for _, m := range members {
			for _, p := range plan {
				k := key{m.id, p.Lesson}
				for _, b := range m.of {
					if b == p.Branch && (first[k] == "" || p.Day < first[k]) {
						first[k] = p.Day
					}
				}
			}
		}
		record := map[key]int{} // what the push's key holds: owed once
		seen := []map[key]bool{{}, {}}
		for now := monday; now.Before(monday.AddDate(0, 0, 7)); now = now.Add(time.Duration(rapid.IntRange(10, 600).Draw(t, "minutes")) * time.Minute) {
			i := rapid.IntRange(0, len(members)-1).Draw(t, "who changes")
			if rapid.Bool().Draw(t, "changes") {
				members[i].hour = rapid.IntRange(LeastHour, MostHour).Draw(t, "new hour")
			}
			replica := rapid.IntRange(0, 1).Draw(t, "replica")
			if rapid.Bool().Draw(t, "reads the record") {
				for k := range record {
					seen[replica][k] = true
				}
			}
			for _, m := range members {
				given := func(id int64) bool { return seen[replica][key{m.id, id}] }
				for _, turn := range Turns(plan, m.of, m.hour, given, now, zone) {
					k := key{m.id, turn.Lesson}
					day := DayOf(now, zone)
					switch {
					case first[k] == "":
						t.Fatalf("%d is given lesson %d, which no branch of theirs learns", m.id, turn.Lesson)
					case day < first[k], day == first[k] && now.Hour() < m.hour:
						t.Fatalf("%d is given lesson %d of %s at %s, their hour is %d", m.id, turn.Lesson, first[k], now, m.hour)
					case turn.Since.After(now):
						t.Fatalf("since %s at %s", turn.Since, now)
					}
					if record[k] == 0 { // ON CONFLICT DO NOTHING
						record[k]++
					}
					if given(turn.Lesson) {
						t.Fatalf("%d is given lesson %d again", m.id, turn.Lesson)
					}
					seen[replica][k] = true
				}
			}
		}
		end := monday.AddDate(0, 0, 7)
		for _, m := range members {
			for _, turn := range Turns(plan, m.of, m.hour, func(id int64) bool { return record[key{m.id, id}] > 0 }, end, zone) {
				record[key{m.id, turn.Lesson}]++
			}
		}
		for k, day := range first {
			if record[k] != 1 {
				t.Fatalf("%d was given lesson %d of %s %d times", k.person, k.lesson, day, record[k])
			}
		}
		if len(record) != len(first) {
			t.Fatalf("%d given, %d planned", len(record), len(first))
		}
	})
}

// Who joined later gets what was planned in the last days, and nothing older.
func TestNotWhatIsLongPast(t *testing.T) {
	plan := []Planned{{Branch: "一", Lesson: 1, Day: "2026-11-15"}, {Branch: "一", Lesson: 2, Day: "2026-11-16"}}
	got := Turns(plan, []string{"一"}, 9, func(int64) bool { return false }, monday.Add(10*time.Hour), zone)
	if len(got) != 1 || got[0].Lesson != 2 {
		t.Errorf("turns: %v", got)
	}
}

func TestOpensOnTheFirstDayOfOnesOwn(t *testing.T) {
	plan := []Planned{{Branch: "一", Lesson: 1, Day: "2026-11-20"}, {Branch: "二", Lesson: 1, Day: "2026-11-25"}, {Branch: "三", Lesson: 1, Day: "2026-11-23"}, {Branch: "二", Lesson: 2, Day: "2026-12-01"}}
	for _, tt := range []struct {
		id   int64
		of   []string
		want Day
	}{{1, []string{"二"}, "2026-11-25"}, {1, []string{"二", "三"}, "2026-11-23"}, {1, nil, "2026-11-20"}, {1, []string{"四"}, "2026-11-20"}, {2, []string{"一"}, "2026-12-01"}, {3, []string{"一"}, ""}} {
		if got := Opens(plan, tt.id, tt.of); got != tt.want {
			t.Errorf("%d for %v: %s, want %s", tt.id, tt.of, got, tt.want)
		}
	}
}

func TestWhatIsOpenStandsFirst(t *testing.T) {
	var got []int64
	for _, l := range OpenFirst([]Lesson{{ID: 1}, {ID: 2}, {ID: 3}, {ID: 4}}, map[int64]Day{1: "2026-12-08", 3: "2026-12-01"}) {
		got = append(got, l.ID)
	}
	if !slices.Equal(got, []int64{2, 4, 3, 1}) {
		t.Errorf("%v", got)
	}
}

func TestHoursAsPeopleSayThem(t *testing.T) {
	for text, want := range map[string]int{
		"7点": 7, "7": 7, "七点": 7, "早上7点": 7, "每天早上七点半": 7, "晚上8点": 20, "下午三点": 15, "中午12点": 12, "19:30": 19, "19：30": 19, "晚七点": 19,
		"二十点": 20, "改到9点吧": 9, "上午 十点钟": 10, "十二点": 12, "中午1点": 13, "21点。": 21, "8点就行": 8, "下午15点": 15,
	} {
		if got, ok := ReadHour(text); !ok || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "太长了", "3点", "凌晨2点", "22点", "晚上11点", "7号楼", "25点", "明天", "7点楼道灯不亮", "1024"} {
		if got, ok := ReadHour(text); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

func TestCheck(t *testing.T) {
	good := Lesson{Theme: History, Form: Text, Title: "一大", Speaker: "老党员段建国", Minutes: 8, Text: "那一年…"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Lesson){
		"title": func(l *Lesson) { l.Title = " " }, "speaker": func(l *Lesson) { l.Speaker = strings.Repeat("长", MostSpeaker+1) },
		"theme": func(l *Lesson) { l.Theme = "x" }, "form": func(l *Lesson) { l.Form = "" }, "minutes": func(l *Lesson) { l.Minutes = MostMinutes + 1 },
		"text": func(l *Lesson) { l.Text = strings.Repeat("字", MostText+1) }, "voice": func(l *Lesson) { l.Form = Voice },
		"video": func(l *Lesson) { l.Form, l.Video = Video, "javascript:alert(1)" }, "place": func(l *Lesson) { l.Class.Place = "凉亭" },
	} {
		bad := good
		change(&bad)
		var w *Wrong
		if !errors.As(bad.Check(), &w) || w.Field != field {
			t.Errorf("%s: %v", field, bad.Check())
		}
	}
	good.Form, good.Video = Video, "https://example.com/a"
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

func TestTheOpeningIsWhatAMessageShows(t *testing.T) {
	for _, n := range []int{0, Shown, Shown + 1, MostText} {
		l := Lesson{Text: strings.Repeat("字", n)}
		if got := utf8.RuneCountInString(l.Opening()); got != min(n, Shown+1) {
			t.Errorf("%d signs of %d", got, n)
		}
	}
}

func TestWhoMayLearn(t *testing.T) {
	member := workflow.Person{ID: 1, Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "一"}}}
	committee := workflow.Person{ID: 2, Roles: []workflow.Role{{Kind: workflow.RoleCommittee}}}
	for _, tt := range []struct {
		lesson Lesson
		person workflow.Person
		want   bool
	}{
		{Lesson{}, workflow.Person{ID: 3}, true}, {Lesson{Branch: "一"}, member, true}, {Lesson{Branch: "二"}, member, false},
		{Lesson{Branch: "二"}, committee, true}, {Lesson{Branch: "二", Teacher: 3}, workflow.Person{ID: 3}, true}, {Lesson{Branch: "二"}, workflow.Person{}, false},
	} {
		if got := tt.lesson.OpenTo(tt.person); got != tt.want {
			t.Errorf("%+v for %d: %v", tt.lesson, tt.person.ID, got)
		}
	}
}

func TestScenes(t *testing.T) {
	l := Lesson{ID: 1031}
	if id, ok := ReadScene(l.Scene()); !ok || id != 1031 || l.Scene() != "class_1031" {
		t.Errorf("%s is %d", l.Scene(), id)
	}
	for _, s := range []string{"", "class_", "class_x", "class_-1", "b:1:2", "class_0"} {
		if _, ok := ReadScene(s); ok {
			t.Errorf("%q is a class", s)
		}
	}
	c := Class{Place: "凉亭", At: monday.Add(9 * time.Hour)}
	for after, held := range map[time.Duration]bool{0: true, 23 * time.Hour: true, 24 * time.Hour: false, -time.Minute: false} {
		if c.Held(monday.Add(after), zone) != held {
			t.Errorf("held %s after midnight: %v", after, !held)
		}
	}
}

func TestWhoAnswers(t *testing.T) {
	member := func(id workflow.PersonID, branch string, secretary bool) workflow.Person {
		return workflow.Person{ID: id, OpenID: "o", Following: true, Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: branch, Secretary: secretary}}}
	}
	roster := workflow.Roster{member(1, "一", false), member(2, "一", true), member(3, "二", true), {ID: 4, OpenID: "o", Following: true, Roles: []workflow.Role{{Kind: workflow.RoleCommittee, Duty: true}}}}
	for _, tt := range []struct {
		teacher, asker, want workflow.PersonID
	}{{3, 1, 3}, {0, 1, 2}, {9, 1, 2}, {0, 2, 4}, {1, 1, 2}} {
		l := Lesson{Teacher: tt.teacher}
		if got := l.Answers(roster, roster.ByID(tt.asker), monday); got != tt.want {
			t.Errorf("%+v: %d answers", tt, got)
		}
	}
	roster[1].Away = workflow.Leave{From: monday.Add(-time.Hour), Until: monday.Add(time.Hour)}
	if got := (&Lesson{}).Answers(roster, roster[0], monday); got != 4 {
		t.Errorf("with the secretary away %d answers", got)
	}
}

// A speaker whom no push reaches is telephoned by the first of the others whom one does,
// and the question stands among the work of somebody, whoever is reached.
func TestASpeakerWithoutWeChat(t *testing.T) {
	member := func(id workflow.PersonID, secretary bool) workflow.Person {
		return workflow.Person{ID: id, Roles: []workflow.Role{{Kind: workflow.RolePartyMember, Branch: "一", Secretary: secretary}}}
	}
	roster := workflow.Roster{member(1, false), member(2, true), {ID: 3, Roles: []workflow.Role{{Kind: workflow.RoleCommittee, Duty: true}}}, {ID: 9}}
	l := Lesson{Teacher: 9}
	for _, tt := range []struct {
		reached, want workflow.PersonID
		byPhone       bool
	}{{9, 9, false}, {2, 2, true}, {3, 3, true}, {0, 9, false}} {
		r := slices.Clone(roster)
		for i := range r {
			if r[i].ID == tt.reached {
				r[i].OpenID, r[i].Following = "o", true
			}
		}
		to := l.Answers(r, r[0], monday)
		speaker, byPhone := l.ByPhone(r, to)
		if to != tt.want || byPhone != tt.byPhone || speaker.ID != 9 {
			t.Errorf("where %d is reached: %d is asked, by telephone %v of %d", tt.reached, to, byPhone, speaker.ID)
		}
	}
	q := Question{To: 9, At: monday}
	for _, tt := range []struct {
		p       workflow.Person
		reached bool
		after   time.Duration
		want    bool
	}{
		{roster[3], false, 0, true}, {roster[1], true, 0, true}, {roster[0], false, 2 * Patience, false},
		{roster[2], false, 0, true}, {roster[2], true, Patience - 1, false}, {roster[2], true, Patience, true},
	} {
		to := workflow.Person{ID: 9, Following: tt.reached}
		if tt.reached {
			to.OpenID = "o"
		}
		if got := q.WaitsFor(tt.p, roster[0], to, monday.Add(tt.after)); got != tt.want {
			t.Errorf("%d, reached %v, after %s: %v", tt.p.ID, tt.reached, tt.after, got)
		}
	}
}

func TestReached(t *testing.T) {
	members := workflow.Roster{{ID: 1}, {ID: 2}, {ID: 3}}
	plan := []Planned{{Branch: "一", Lesson: 1, Day: "2026-11-10"}, {Branch: "一", Lesson: 2, Day: "2026-11-20"}, {Branch: "一", Lesson: 3, Day: "2026-12-01"}, {Branch: "二", Lesson: 4, Day: "2026-11-20"}}
	done := []Done{{1, 1, Given, monday}, {1, 1, Read, monday}, {1, 1, Heard, monday}, {2, 1, Signed, monday.Add(time.Hour)}, {1, 2, Given, monday}, {2, 2, Given, monday}, {4, 3, Read, monday}}
	var got []string
	for _, r := range Reached(members, plan, "一", done, monday, zone) {
		got = append(got, fmt.Sprintf("%d %d/%d %v", r.Person.ID, r.Learnt, r.Of, r.Unreached()))
	}
	if s := strings.Join(got, ", "); s != "2 0/2 true, 3 0/0 false, 1 2/2 false" {
		t.Error(s)
	}
	if c := Count(1, members, done); c != (Counts{Given: 2, Read: 1, Heard: 1, Learnt: 1}) {
		t.Errorf("%+v", c)
	}
}
