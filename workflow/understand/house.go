package understand

import (
	"slices"
	"strconv"
)

// house is an address within an estate as it was written: 「12号楼3单元402」,
// 「12-3-402」, 「3单元5楼」. Zero fields were not said.
type house struct {
	building, unit, floor int
	room                  string
	from, to              int // in prepared runes
	several               int // behind the range 「53到56号楼」, 0 if there is none
	own                   bool
}

// maxBuilding is the greatest number that a building may have.
const maxBuilding = 2000

// houses finds the addresses of a text. Some are addresses only right behind
// the name of an estate: 「怡园12号」.
func (t *text) houses(names []name) []house {
	behind := func(i int) bool {
		return slices.ContainsFunc(names, func(n name) bool { return n.to == i || n.to == i-1 && t.rune(i-1) == '-' })
	}
	var out []house
	for i := 0; i < len(t.runes); {
		_, end, _ := t.number(i)
		if end == i {
			i++
			continue
		}
		if slices.ContainsFunc(names, func(n name) bool { return i >= n.from && i < n.to }) {
			i = end
			continue
		}
		h, ok := t.house(i, behind(i))
		if !ok {
			i = end
			continue
		}
		out = append(out, h)
		i = h.to
	}
	return out
}

// house reads an address at i.
func (t *text) house(i int, behindEstate bool) (house, bool) {
	if p := t.rune(i - 1); !behindEstate && p == '-' || p == '.' || p == ':' || p == '/' || p >= 'a' && p <= 'z' {
		return house{}, false
	}
	h := house{from: i}
	n, k, spoken := t.number(i)
	last, many := k, 0
	for { // 「53到56号楼」, 「3、5、7号楼」
		j := t.listed(last)
		if j == last {
			break
		}
		_, end, _ := t.number(j)
		if end == j {
			break
		}
		last = end
		many = max(many, t.building(last, i, spoken, behindEstate))
	}
	if many > 0 {
		h.building, h.to, h.several = n, many, many
		h = t.inside(h)
		return h, valid(h.building)
	}
	if b := t.building(k, i, spoken, behindEstate); b > 0 {
		if d := spokenPair(t.runes[i:k]); d > 0 {
			n, h.several = d, b
		}
		h.building, h.to = n, b
		if j := t.listed(b); j > b { // 「53号楼到56号楼」
			if _, end, s := t.number(j); end > j {
				if b2 := t.building(end, j, s, false); b2 > 0 {
					h.to, h.several = b2, b2
				}
			}
		}
		h = t.inside(h)
		return h, valid(h.building)
	}
	if t.rune(k) == '-' && valid(n) && t.rune(i) != '0' { // 「12-3-402」, 「12-402」, 「12-3单元」
		if in := t.inside(house{building: n, from: i, to: k}); in.unit > 0 || in.room != "" {
			return in, !t.counts(in.to)
		}
		if unit, end, _ := t.number(k + 1); behindEstate && end > k+1 && unit >= 1 && unit <= 12 && !t.counts(end) { // 「毕家洼47-3」
			return t.inside(house{building: n, unit: unit, from: i, to: end}), true
		}
	}
	if t.rune(i-1) == '第' {
		return house{}, false
	}
	in := t.inside(house{from: i, to: i})
	return in, in.to > i && (in.unit > 0 || in.floor > 0 || t.saysRoom(in.to))
}

func valid(building int) bool { return building >= 1 && building <= maxBuilding }

// listed is where the next number of a list or range begins, i if the word at
// i joins none.
func (t *text) listed(i int) int {
	switch t.rune(i) {
	case '到', '至', '-', '~', '和', '跟', '与', '、', '及':
		return i + 1
	}
	return i
}

// spokenPair tells 「五六号楼」 from 「五十六号楼」: it is 5 for two digits
// that follow each other, 0 for anything else.
func spokenPair(rs []rune) int {
	if len(rs) == 2 && numeral(rs[0]) > 0 && numeral(rs[1]) == numeral(rs[0])+1 {
		return numeral(rs[0])
	}
	return 0
}

// building is where the word for a building ends that follows the number from
// up to i, 0 if none follows. 「12号」 alone is a date unless it stands behind
// an estate, 「12楼」 a floor unless a unit follows.
func (t *text) building(i, from int, spoken, behindEstate bool) int {
	day := t.rune(from-1) == '月'
	switch r := t.rune(i); {
	case r == '号' && t.rune(i+1) == '楼':
		if day { // 「3月12号楼道灯」
			return 0
		}
		return i + 2
	case r == '号' && !day && t.unitAt(i+1):
		return i + 1
	case r == '号' && !day && behindEstate && !slices.ContainsFunc(afterDate, func(w string) bool { return t.starts(i+1, w) }):
		return i + 1
	case r == '#':
		if slices.Contains([]rune("线门桌机口岗"), t.rune(i+1)) {
			return 0
		}
		if t.rune(i+1) == '楼' {
			return i + 2
		}
		return i + 1
	case r == '栋' || r == '幢' || r == '座':
		if spoken && (t.rune(i+1) == '楼' || t.rune(from) == '两' || slices.Contains(counting, t.rune(from-1))) {
			return 0 // 「一栋楼」, 「这两栋」
		}
		if spoken && r == '座' && i-from == 1 && !t.unitAt(i+1) { // 「一座桥」
			return 0
		}
		if t.rune(i+1) == '楼' && t.rune(i+2) != '道' {
			return i + 2
		}
		return i + 1
	case r == '楼' && (t.unitAt(i+1) || behindEstate):
		return i + 1
	}
	return 0
}

// counting are the runes before a number that counts buildings and names none.
var counting = []rune("有共这那整每哪几")

// afterDate are the words that make a date of 「12号」 even behind an estate.
var afterDate = []string{"院", "停", "早", "上午", "中午", "下午", "晚", "夜", "那天", "当天", "开始", "就", "起", "以", "之", "前", "后", "到", "至", "才", "还", "又", "来", "凌晨", "线", "工单"}

// unitAt tells whether a number and 单元 stand at i.
func (t *text) unitAt(i int) bool {
	if r := t.rune(i); r == '-' || r == '的' || r == ',' {
		i++
	}
	_, end, _ := t.number(i)
	return end > i && t.starts(end, "单元")
}

// inside reads unit, floor and room that follow h.to.
func (t *text) inside(h house) house {
	for {
		i := h.to
		for ; i < h.to+2; i++ {
			switch t.rune(i) {
			case '-', '/', ',', '、', '的', ' ':
				continue
			}
			break
		}
		n, end, spoken := t.number(i)
		if end == i || n < 0 {
			return h
		}
		open := h.room == ""
		switch r := t.rune(end); {
		case h.unit == 0 && open && t.starts(end, "单元") && n >= 1 && n <= 30:
			h.unit, h.to = n, end+2
		case h.unit == 0 && open && h.building > 0 && t.starts(end, "门") && n >= 1 && n <= 30 && t.roomAt(end+1):
			h.unit, h.to = n, end+1
		case h.floor == 0 && open && (r == '楼' || r == '层') && n >= 1 && n <= 40 && !t.layer(end):
			h.floor, h.to = n, end+1
		case h.unit == 0 && open && h.building > 0 && n >= 1 && n <= 30 && r == '-' && t.roomAt(end+1):
			h.unit, h.to = n, end
		case open && isRoom(n) && end-i >= 3 && t.rune(i) != '0' && !t.counts(end):
			h.room, h.to = strconv.Itoa(n), end
			if r == '室' || r == '户' || r == '房' || r == '号' {
				h.to++
			}
		case open && spoken && h.unit > 0 && isRoom(n) && !t.counts(end): // 「四百零二」
			h.room, h.to = strconv.Itoa(n), end
		default:
			return h
		}
	}
}

// roomAt tells whether a flat's number stands at i.
func (t *text) roomAt(i int) bool {
	n, end, _ := t.number(i)
	return end > i && isRoom(n)
}

// saysRoom tells whether the number before i was said to be a flat's.
func (t *text) saysRoom(i int) bool {
	r := t.rune(i - 1)
	return r == '室' || r == '户' || r == '房'
}

// layer tells 「一层灰」 and 「5楼道」 from a floor; 楼 or 层 stands at i.
func (t *text) layer(i int) bool {
	if t.rune(i) == '层' {
		return slices.Contains([]rune("灰土油雪冰水泥薄厚皮膜"), t.rune(i+1))
	}
	return t.rune(i+1) == '道' || t.rune(i+1) == '梯'
}

// counts tells whether the number before i counts something, is a date, a
// time or part of something longer.
func (t *text) counts(i int) bool {
	r := t.rune(i)
	return r == '.' || r == ':' || r == '%' || isDigit(r) || r >= 'a' && r <= 'z' ||
		r == '-' && isDigit(t.rune(i+1)) || slices.Contains(unitsOfMeasure, r)
}

var unitsOfMeasure = []rune("元块年月日米度人点分岁平斤毫次天个路万千公瓦升吨页条件辆位名份")
