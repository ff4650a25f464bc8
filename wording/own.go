package wording

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"

	"github.com/wishdesk/wishdesk/workflow"
)

// owned is a community's wording, and of which texts it was made.
type owned struct {
	doc   *workflow.Community
	words *Wording
}

// For is the wording of a community: its own texts in place of the shipped
// ones. It is made once for each document. What CheckOwn refuses, which a
// document applied under an older release may hold, leaves the shipped text.
func (w *Wording) For(c *workflow.Community) *Wording {
	w = w.base()
	if c == nil || len(c.Wording) == 0 {
		return w
	}
	var o *owned
	if have, ok := w.own.Load(c.Code); ok {
		if o = have.(*owned); o.doc == c {
			return o.words
		}
	}
	if o != nil && maps.Equal(o.doc.Wording, c.Wording) { // another part of the document changed, or the staff
		o = &owned{c, o.words}
	} else {
		o = &owned{c, w.with(c.Wording)}
	}
	w.own.Store(c.Code, o)
	return o.words
}

// base is the shipped wording.
func (w *Wording) base() *Wording {
	if w.shipped != nil {
		return w.shipped
	}
	return w
}

// with is the shipped wording with some texts in place of its own.
func (w *Wording) with(texts map[string]string) *Wording {
	clone, err := w.texts.Clone()
	if err != nil {
		return w // only a template that html/template has taken cannot be cloned
	}
	out := &Wording{Menu: w.Menu, texts: clone, source: maps.Clone(w.source), values: w.values, shipped: w}
	for key, text := range texts {
		if tree, fault := w.read(key, text); fault == nil {
			if _, err := clone.AddParseTree(key, tree); err == nil {
				out.source[key] = text
			}
		}
	}
	return out
}

// FaultCode says what is wrong with a text of a community's own.
type FaultCode string

// What may be wrong. The wording has a text for each under "own_text".
const (
	FaultUnknown FaultCode = "unknown" // no text has this key
	FaultBroken  FaultCode = "broken"  // it is no template
	FaultForbids FaultCode = "forbids" // it uses what such a text may not: Detail
	FaultValue   FaultCode = "value"   // it wants a value that it is never given: Detail
	FaultFails   FaultCode = "fails"   // it cannot be filled in
	FaultLong    FaultCode = "long"    // filled in it has more than Detail bytes
	FaultEmpty   FaultCode = "empty"   // filled in it says nothing
	FaultNumber  FaultCode = "number"  // the emergency number Detail got lost
	FaultPhrase  FaultCode = "phrase"  // a phrase has more than Detail characters
)

// Fault is what is wrong with one text of a community's own.
type Fault struct {
	Key    string
	Code   FaultCode
	Detail string // see the codes; "" for those that need none
	cause  error
}

// Error names the key and the reason.
func (f *Fault) Error() string {
	says := map[FaultCode]string{
		FaultUnknown: "there is no such text", FaultBroken: "is no template", FaultForbids: "may not use " + f.Detail,
		FaultValue: "is never given ." + f.Detail, FaultFails: "cannot be filled in", FaultLong: "is longer than " + f.Detail + " bytes, which is all that a message holds",
		FaultEmpty: "says nothing", FaultNumber: "leaves out the emergency number " + f.Detail + ", which stands here",
		FaultPhrase: "want at most " + f.Detail + " characters, the platform refuses more",
	}[f.Code]
	if f.cause != nil {
		says += ": " + f.cause.Error()
	}
	return "wording." + f.Key + ": " + says
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.cause }

// Bounds of a text. WeChat cuts at 2,048 bytes (see bot/wechat.Shorten); phrases of
// template messages have five characters at most, or the call fails with 47003.
const (
	longestText   = 2048  // bytes, filled in
	longestSource = 16384 // bytes as it is written, with all its cases
	longestPhrase = 5     // characters
)

// never is said where there is no community.
const never = "no_community"

// allowed are the functions that a text may use: those that choose, and none by
// which a text could grow without end.
var allowed = []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len"}

// read parses a community's own text. It may choose and fill in; loops and texts
// inside texts are for the shipped wording alone.
func (w *Wording) read(key, text string) (*parse.Tree, *Fault) {
	if _, ok := w.base().source[key]; !ok || key == never {
		return nil, &Fault{Key: key, Code: FaultUnknown}
	}
	if len(text) > longestSource {
		return nil, &Fault{Key: key, Code: FaultLong, Detail: strconv.Itoa(longestSource)}
	}
	t, err := template.New(key).Parse(strings.TrimRight(text, "\n"))
	if err != nil {
		return nil, &Fault{Key: key, Code: FaultBroken, cause: err}
	}
	for _, other := range t.Templates() {
		if other.Name() != key {
			return nil, &Fault{Key: key, Code: FaultForbids, Detail: "define"}
		}
	}
	if t.Tree == nil { // a text of nothing but space
		return &parse.Tree{Name: key, Root: &parse.ListNode{NodeType: parse.NodeList}}, nil
	}
	var bad string
	visit(t.Root, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.RangeNode:
			bad = "range"
		case *parse.TemplateNode:
			bad = "template"
		case *parse.IdentifierNode:
			if !slices.Contains(allowed, n.Ident) {
				bad = n.Ident
			}
		}
	})
	if bad != "" {
		return nil, &Fault{Key: key, Code: FaultForbids, Detail: bad}
	}
	return t.Tree, nil
}

// visit calls f for a node and all below it.
func visit(n parse.Node, f func(parse.Node)) {
	pipe := func(p *parse.PipeNode) {
		if p == nil {
			return
		}
		for _, c := range p.Cmds {
			for _, a := range c.Args {
				visit(a, f)
			}
		}
	}
	branch := func(b *parse.BranchNode) {
		pipe(b.Pipe)
		visit(b.List, f)
		visit(b.ElseList, f)
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, below := range n.Nodes {
			visit(below, f)
		}
		return
	case *parse.ActionNode:
		pipe(n.Pipe)
	case *parse.PipeNode:
		pipe(n)
	case *parse.ChainNode:
		visit(n.Node, f)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.TemplateNode:
		pipe(n.Pipe)
	}
	f(n)
}

// uses are the names of the values that a text is filled with, in order.
func uses(root parse.Node) []string {
	names := map[string]bool{}
	visit(root, func(n parse.Node) {
		switch n := n.(type) {
		case *parse.FieldNode:
			names[n.Ident[0]] = true
		case *parse.VariableNode:
			if len(n.Ident) > 1 && n.Ident[0] == "$" {
				names[n.Ident[1]] = true
			}
		}
	})
	return slices.Sorted(maps.Keys(names))
}

// emergency are the numbers that save lives.
var emergency = regexp.MustCompile(`\b(?:110|119|120)\b`)

// CheckOwn tells what is wrong with a community's own texts: each error of the
// joined ones is a *Fault. A text must be one of the shipped keys and a template;
// it may use only values that it is given, must be filled in whatever they are,
// fit into a message, say something, and keep the emergency numbers of the text
// that it stands for.
func (w *Wording) CheckOwn(c *workflow.Community) error {
	w = w.base()
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(c.Wording)) {
		if _, fault := w.check(c, key, c.Wording[key]); fault != nil {
			errs = append(errs, fault)
		}
	}
	return errors.Join(errs...)
}

// FaultsOf are the faults within an error of CheckOwn, in order of their keys.
func FaultsOf(err error) []*Fault {
	var out []*Fault
	var walk func(error)
	walk = func(err error) {
		if f, ok := err.(*Fault); ok { //nolint:errorlint // each branch is walked down to it
			out = append(out, f)
			return
		}
		switch e := err.(type) { //nolint:errorlint // the same
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				walk(one)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return out
}

// check gives a text made ready, or why it may not stand.
func (w *Wording) check(c *workflow.Community, key, text string) (*template.Template, *Fault) {
	tree, fault := w.read(key, text)
	if fault != nil {
		return nil, fault
	}
	given := w.given(key)
	for _, name := range uses(tree.Root) {
		if !slices.Contains(given, name) {
			return nil, &Fault{Key: key, Code: FaultValue, Detail: name}
		}
	}
	own, err := template.New(key).Option("missingkey=zero").AddParseTree(key, tree)
	if err != nil {
		return nil, &Fault{Key: key, Code: FaultBroken, cause: err}
	}
	shipped := w.texts.Lookup(key)
	for _, v := range w.trials(c, key) {
		has, err := fill(own, v)
		if err != nil {
			return nil, &Fault{Key: key, Code: FaultFails, cause: err}
		}
		had, err := fill(shipped, v)
		if err != nil {
			continue // the shipped text is never filled so
		}
		empty, was := strings.TrimSpace(has) == "", strings.TrimSpace(had) == ""
		switch {
		case len(has) > longestText:
			return nil, &Fault{Key: key, Code: FaultLong, Detail: strconv.Itoa(longestText)}
		case strings.HasPrefix(key, "phrase.") && utf8.RuneCountInString(has) > longestPhrase:
			return nil, &Fault{Key: key, Code: FaultPhrase, Detail: strconv.Itoa(longestPhrase)}
		case empty && !was:
			return nil, &Fault{Key: key, Code: FaultEmpty}
		}
		for _, number := range emergency.FindAllString(had, -1) {
			if !slices.Contains(emergency.FindAllString(has, -1), number) {
				return nil, &Fault{Key: key, Code: FaultNumber, Detail: number}
			}
		}
	}
	return own, nil
}

// fill is a text with its values.
func fill(t *template.Template, v Values) (string, error) {
	var b strings.Builder
	err := t.Execute(&b, map[string]any(v))
	return strings.ReplaceAll(b.String(), "<no value>", ""), err
}

// Fault says in a community's words what is wrong with a text of its own.
func (o Voice) Fault(f *Fault) string {
	return o.Say("own_text."+string(f.Code), Values{"Key": f.Key, "Detail": f.Detail, "Cause": fmt.Sprint(f.cause)})
}
