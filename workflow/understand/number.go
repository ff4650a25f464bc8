package understand

import "slices"

// number reads a number at i, in ASCII or Chinese digits, and gives where it
// ends; end is i where there is none. spoken tells that it was in Chinese. A
// number of more than four digits (a telephone, a sum) is none, but its end is
// given. 「十二」 is 12, 「四零二」 is 402, 「一百五十六」 is 156.
func (t *text) number(i int) (n, end int, spoken bool) {
	for end = i; isDigit(t.rune(end)); end++ {
		if end-i < 4 {
			n = n*10 + int(t.rune(end)-'0')
		}
	}
	if end > i {
		if end-i > 4 {
			n = -1
		}
		return n, end, false
	}
	for isNumeral(t.rune(end)) {
		end++
	}
	if end == i {
		return 0, i, false
	}
	return spokenNumber(t.runes[i:end]), end, true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

func isNumeral(r rune) bool { return r == '十' || r == '百' || numeral(r) >= 0 }

// numeral is the value of a Chinese digit, -1 for anything else.
func numeral(r rune) int {
	switch r {
	case '零', '〇':
		return 0
	case '一', '幺':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	}
	return -1
}

// spokenNumber is the value of Chinese digits, said place by place (「四零二」)
// or with 十 and 百; -1 if they make no number of at most four places.
func spokenNumber(rs []rune) int {
	if !slices.Contains(rs, '十') && !slices.Contains(rs, '百') {
		if len(rs) > 4 {
			return -1
		}
		n := 0
		for _, r := range rs {
			n = n*10 + numeral(r)
		}
		return n
	}
	sum, digit := 0, -1
	for _, r := range rs {
		switch r {
		case '百':
			sum += max(digit, 1) * 100
			digit = -1
		case '十':
			if digit < 1 {
				digit = 1
			}
			sum += digit * 10
			digit = -1
		default:
			digit = numeral(r)
		}
	}
	if sum += max(digit, 0); sum > 9999 {
		return -1
	}
	return sum
}

// isRoom tells whether n looks like a flat's number: floor 1 to 40, then 01 to
// 30.
func isRoom(n int) bool { return n >= 101 && n/100 <= 40 && n%100 >= 1 && n%100 <= 30 }
