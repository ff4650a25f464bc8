package workflow

import (
	"fmt"
	"slices"
	"strings"
)

//go:generate go test . -run TestDiagram -update

// drawn is the order of the states in the drawing, with their Chinese names.
var drawn = []struct {
	state State
	name  string
}{
	{Received, "收到"},
	{Classified, "已分类"},
	{Assigned, "已派单"},
	{Accepted, "办理中"},
	{Resolved, "已办结"},
	{Closed, "已评价"},
	{Cancelled, "已撤销"},
	{Merged, "已并案"},
}

// clockStarts says by which events each clock starts anew. A test holds it
// against what Decide does.
var clockStarts = []struct {
	clock  Clock
	length string // where the community's document sets it
	starts []EventType
}{
	{ClockTray, "tray", []EventType{EvFiled, EvTrayed, EvReturned, EvAnswered, EvAdvised, EvQuestionLapsed, EvSplit}},
	{ClockQuestion, "place_question, question", []EventType{EvAsked}},
	{ClockUnclaimed, "wish_unclaimed", []EventType{EvClassified, EvReclassified, EvPublished, EvReturned, EvSplit}},
	{ClockResponse, "emergency, major, minor: response", []EventType{EvClassified, EvReclassified, EvAssigned, EvTransferred, EvReopened, EvSplit}},
	{ClockFeedback, "major: feedback", []EventType{EvClassified, EvReclassified, EvReopened, EvSplit}},
	{ClockResolve, "emergency, major, minor: resolve; wish_resolve", []EventType{EvClassified, EvReclassified, EvAssigned, EvTransferred, EvClaimed, EvReopened, EvSplit}},
	{ClockVisit, "the pair's own", []EventType{EvPaired, EvVisited}},
	{ClockReminder, "ladder: steps before the promise", []EventType{
		EvClassified, EvReclassified, EvAssigned, EvTransferred, EvAccepted, EvClaimed, EvReminded, EvNoted, EvAnswered, EvQuestionLapsed,
		EvAsked, EvOverdue, EvBroughtUp, EvPaired, EvVisited,
	}},
	{ClockAgain, "ladder: steps after it; then again", []EventType{EvOverdue, EvBroughtUp, EvAccepted}},
	{ClockRemind, "rating_reminder", []EventType{EvResolved, EvSupplemented}},
	{ClockRating, "feedback_window", []EventType{EvResolved, EvSupplemented}},
}

// Diagram is the machine as Markdown: a Mermaid diagram made from Table, then
// the tables of its rows, its clocks and who is told. docs/machine.md holds
// it between markers.
func Diagram() string {
	var b strings.Builder
	drawStates(&b)
	drawRows(&b)
	drawClocks(&b)
	drawNotices(&b)
	return b.String()
}

func drawStates(b *strings.Builder) {
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	for _, d := range drawn {
		fmt.Fprintf(b, "    state \"%s %s\" as %s\n", d.name, d.state, d.state)
	}
	for _, from := range append([]State{None}, states()...) {
		for _, to := range states() {
			if labels := edge(from, to); len(labels) > 0 {
				fmt.Fprintf(b, "    %s --> %s : %s\n", drawnAs(from), to, strings.Join(labels, " / "))
			}
		}
	}
	for _, d := range drawn {
		if !d.state.Open() {
			fmt.Fprintf(b, "    %s --> [*]\n", d.state)
		}
	}
	for _, d := range drawn {
		if labels := edge(d.state, Same); len(labels) > 0 {
			fmt.Fprintf(b, "    note right of %s\n        stays: %s\n    end note\n", d.state, strings.Join(labels, ", "))
		}
	}
	b.WriteString("```\n")
}

func states() []State {
	out := make([]State, len(drawn))
	for i, d := range drawn {
		out[i] = d.state
	}
	return out
}

func drawnAs(s State) string {
	if s == None {
		return "[*]"
	}
	return string(s)
}

// edge is what leads from one state to another: commands, with their guards in
// brackets where they change the state.
func edge(from, to State) []string {
	var labels []string
	for _, row := range Table {
		if row.To != to || !slices.Contains(row.From, from) {
			continue
		}
		label := string(row.Command)
		if to != Same && row.Guard.Name != "" {
			label += " [" + row.Guard.Name + "]"
		}
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	return labels
}

func drawRows(b *strings.Builder) {
	b.WriteString("\n## Every transition\n\nThe first row whose state, command, person and condition fit decides; no row, no change.\n\n" +
		"| from | command | who | where | to | makes | else refused as |\n|---|---|---|---|---|---|---|\n")
	for _, row := range Table {
		from := join(row.From)
		if slices.Equal(row.From, []State{None}) {
			from = "(new)"
		}
		to := string(row.To)
		if row.To == Same {
			to = "stays"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n",
			from, row.Command, join(row.Who), row.Guard.Name, to, row.Makes, join(row.Guard.codes()))
	}
}

func drawClocks(b *strings.Builder) {
	b.WriteString("\n## Every clock\n\n| clock | length (`clocks` of the community) | may start at | fires in | makes |\n|---|---|---|---|---|\n")
	for _, d := range clockStarts {
		for _, row := range Table {
			if row.Command == CmdTick && slices.Contains(strings.Fields(row.Guard.Name), string(d.clock)) {
				fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", d.clock, d.length, join(d.starts), join(row.From), row.Makes)
			}
		}
	}
}

func drawNotices(b *strings.Builder) {
	b.WriteString("\n## Who is told\n\nNobody is told twice of one event (the first row counts), nor of what they did themselves.\n\n" +
		"| event | who | purpose | where |\n|---|---|---|---|\n")
	for _, n := range Notices {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", n.Event, n.To, n.Purpose, n.If.Name)
	}
}

func join[T ~string](items []T) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = string(item)
	}
	return strings.Join(words, ", ")
}
