package tables

import (
	"context"
	"strconv"
	"strings"

	"github.com/wishdesk/wishdesk/storage/sheet"
	"github.com/wishdesk/wishdesk/wording"
	"github.com/wishdesk/wishdesk/workflow"
)

const (
	colEvery = "几天一次"
	colNote  = "备注"
)

var careColumns = []sheet.Column{
	{Name: colName, Required: true, Example: "孙桂兰", Help: "要走访的人"},
	{Name: colPhone, Example: "13800138000", Help: "可以不填"},
	{Name: colPlace, Also: []string{"地址", "住址"}, Required: true, Example: "毕家洼西区12号楼3单元402", Help: "小区、楼号、单元、房号"},
	{Name: colKind, Example: "独居", Help: "低保、残疾、独居、其他"},
	{Name: colEvery, Also: []string{"走访周期", "周期"}, Example: "7", Help: "多少天走访一次;不填是 14 天"},
	{Name: colNote, Example: "耳朵背,敲门重一点", Help: "走访的人看得到"},
}

var careKinds = map[string]workflow.CareKind{
	"低保": workflow.LowIncome, "残疾": workflow.Disabled, "独居": workflow.LivingAlone, "其他": workflow.OtherCare, "": workflow.OtherCare,
}

const careEvery = 14 // days, where the table says nothing

// care reads a care list.
type care struct {
	im   *Importer
	last workflow.Care
	n    Entered
}

func (c *care) row(ctx context.Context, row sheet.Row, fail fail) error {
	bad := func(column, key string) { fail(column, key, wording.Values{"Have": row.Get(column)}) }
	one := workflow.Care{
		Community: c.im.Shape.Community.Code, Name: row.Get(colName), Phone: phone(row.Get(colPhone)), Note: row.Get(colNote), Every: careEvery, NextVisit: c.im.now(),
	}
	if one.Name == "" {
		bad(colName, "no_name")
	}
	if one.Phone != "" && !workflow.IsPhone(one.Phone) {
		bad(colPhone, "phone")
	}
	u, err := c.im.Understander.Understand(ctx, c.im.Shape.Community, workflow.Words{Text: row.Get(colPlace)})
	if err != nil {
		return err
	}
	if one.Place = u.Place; u.PlaceProblem != "" || u.Place.Building == 0 || !u.Place.Known() {
		bad(colPlace, "place")
	}
	kind, ok := careKinds[row.Get(colKind)]
	if one.Kind = kind; !ok {
		bad(colKind, "care_kind")
	}
	if every := row.Get(colEvery); every != "" {
		if one.Every, err = strconv.Atoi(strings.TrimSuffix(every, "天")); err != nil || one.Every < 1 || one.Every > 366 {
			bad(colEvery, "care_every")
		}
	}
	c.last = one
	return nil
}

func (c *care) put(ctx context.Context) error {
	fresh, err := c.im.Record.PutCare(ctx, c.last)
	switch {
	case err != nil:
		return err
	case fresh:
		c.n.Fresh++
	default:
		c.n.Before++
	}
	return nil
}

func (c *care) done(context.Context) (Entered, error) { return c.n, nil }
