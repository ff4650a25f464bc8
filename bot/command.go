package bot

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"

	"github.com/wishdesk/wishdesk/workflow"
)

// verb is what a short text asks for.
type verb string

const (
	verbNone       verb = ""
	verbNumber     verb = "number" // a number alone
	verbHelp       verb = "help"
	verbMoreHelp   verb = "more_help"
	verbReport     verb = "report"
	verbWish       verb = "wish"
	verbProgress   verb = "progress"
	verbUrge       verb = "urge"
	verbSupplement verb = "supplement"
	verbCancel     verb = "cancel"
	verbRate       verb = "rate"
	verbReopen     verb = "reopen"
	verbBind       verb = "bind"
	verbWall       verb = "wall"
	verbClaim      verb = "claim"
	verbSplit      verb = "split"

	verbWork     verb = "work"
	verbAccept   verb = "accept"
	verbTransfer verb = "transfer"
	verbReturn   verb = "return"
	verbAsk      verb = "ask"
	verbNote     verb = "note"
	verbResolve  verb = "resolve"
	verbShow     verb = "show"
	verbFile     verb = "file"
	verbAssign   verb = "assign"
	verbMerge    verb = "merge"
	verbEscalate verb = "escalate"
	verbCalled   verb = "called"
	verbAs       verb = "as" // 「登记心愿」「登记诉求」: the kind, after the desk asked

	verbPoints   verb = "points"   // 「积分」
	verbRewards  verb = "rewards"  // 「兑换」, 「兑换 3」
	verbBoard    verb = "board"    // 「积分榜」
	verbRanked   verb = "ranked"   // 「上榜」
	verbUnranked verb = "unranked" // 「下榜」
	verbUnorder  verb = "unorder"  // 「取消兑换」, 「取消兑换 3」
	verbFund     verb = "fund"     // 「社区基金」

	verbWho     verb = "who"     // 「网格员是谁」
	verbHome    verb = "home"    // 「登记住址 …」
	verbSupport verb = "support" // 「我也想要 1024」
	verbNamed   verb = "named"   // 「公开 1024」: claimers may know who asks
	verbContact verb = "contact" // 「联系方式 王大爷 138…」
	verbHidden  verb = "hidden"  // 「保密 1024」
	verbTopic   verb = "topic"   // 「议题 楼道装声控灯」, 「议题 1030」
	verbVote    verb = "vote"    // 「投票 1030 赞成」, 「赞成」
	verbOpen    verb = "open"    // 「开议 1030」: the committee takes a topic up
	verbBench   verb = "bench"   // 「板凳会 1030 …」: what was said, with photos
	verbBallot  verb = "ballot"  // 「开始投票 1030 20票 7天 不记名」
	verbDrop    verb = "drop"    // 「不开 1030 …」: a topic is not taken up

	verbCall    verb = "call"    // 「协助 1024 曹颖 清理管道」
	verbFinish  verb = "finish"  // 「完成 1024 …」: a part is done
	verbDecline verb = "decline" // 「办不了 1024 …」: a part is handed back
	verbJoin    verb = "join"    // 「一起 1024 我出轮椅」
	verbPair    verb = "pair"    // 「结对 1024 14天」
	verbVisit   verb = "visit"   // 「走访 …」, 「走访 1024 …」 of a pair
	verbPatrol  verb = "patrol"  // 「巡查 …」
	verbFixed   verb = "fixed"   // 「随手办 …」: found and fixed on the spot
	verbCare    verb = "care"    // 「关怀」: who is to be visited
	verbLessons verb = "lessons" // 「党课」: what there is to learn
	verbLearnt  verb = "learnt"  // 「学完了」
	verbHour    verb = "hour"    // 「学习时间 7点」
	verbTeacher verb = "teacher" // 「问讲师 …」
	verbReply   verb = "reply"   // 「答复 1040 …」: to who asked about a lesson
	verbInspect verb = "inspect" // 「巡检 12号楼 都好」: the property company's checklist
	verbScore   verb = "score"   // 「考核」: how its month stands
	verbBehalf  verb = "behalf"  // 「代报 王桂英 138… 12号楼3单元402 …」
	verbPhoned  verb = "phoned"  // 「回访 1024 满意」
	verbStory   verb = "story"   // 「经过 1024」
	verbShare   verb = "share"   // 「网格」: how much is solved inside its grid
	verbLeave   verb = "leave"   // 「请假 3天」
	verbBack    verb = "back"    // 「销假」
	verbLogin   verb = "login"   // 「登录」: a link to the pages
)

// spoken is a text read as a command.
type spoken struct {
	Verb   verb
	Number int64 // 0 where none was said
	Rest   string
	Rating workflow.Rating
}

// words lists what people write for each verb; the first is the one that the
// desk itself suggests. Commands are protocol, like a telephone menu's keys,
// and so stand in code; what people read about them stands in the wording.
var words = []struct {
	verb  verb
	alone bool // must be the whole message, or be followed by a number: the word is common in sentences
	say   []string
}{
	{verbHelp, true, []string{"帮助", "怎么用", "菜单", "help", "?"}},
	{verbMoreHelp, true, []string{"帮助 更多", "帮助更多", "更多帮助", "更多用法", "更多"}},
	{verbReport, true, []string{"我要报事", "报事"}},
	{verbWish, true, []string{"我要许愿", "许愿", "我有个心愿", "我有心愿", "心愿", "微心愿"}},
	{verbWho, true, []string{"网格员是谁", "我的网格员", "谁是网格员", "网格员电话", "找网格员", "联系网格员"}},
	{verbProgress, true, []string{"完成了没有", "办完了没有", "好了没有", "修好了没有", "进度", "查进度", "我的", "我的事", "到哪了", "办到哪了", "咋样了", "怎么样了"}},
	{verbUrge, true, []string{"催办", "催一下", "催催", "快点"}},
	{verbSupplement, false, []string{"补充"}},
	{verbCancel, true, []string{"撤销", "撤回", "取消", "不用了"}},
	{verbRate, false, []string{"评价"}},
	{verbReopen, false, []string{"重办", "没修好", "没解决", "又坏了"}},
	{verbBind, false, []string{"绑定"}},
	{verbWall, true, []string{"心愿墙"}},
	{verbClaim, true, []string{"认领"}},
	{verbSplit, true, []string{"拆分", "不是一回事", "不是同一件事"}},
	{verbWork, true, []string{"待办", "我的待办", "任务"}},
	{verbAccept, true, []string{"接单", "收到接单", "接了", "我接了", "我接", "我来接"}},
	{verbTransfer, false, []string{"转派", "转给"}},
	{verbReturn, false, []string{"退单", "退回"}},
	{verbAsk, false, []string{"追问", "问居民", "问"}},
	{verbNote, false, []string{"进展"}},
	{verbResolve, false, []string{"办结", "办完", "办完了", "已办结", "已经办完了"}},
	{verbShow, true, []string{"查看", "详情"}},
	{verbFile, false, []string{"归类"}},
	{verbAssign, false, []string{"指派"}},
	{verbMerge, false, []string{"并案", "并入"}},
	{verbEscalate, false, []string{"督办", "上报"}},
	{verbCalled, true, []string{"已告知", "已电话"}},
	{verbAs, false, []string{"登记"}},

	{verbPoints, true, []string{"积分", "我的积分", "查积分", "看积分", "积分有多少", "我有多少积分", "多少分了"}},
	{verbRewards, true, []string{"兑换", "积分兑换", "换奖励", "兑奖励", "积分换东西", "能换什么", "积分能换什么", "积分怎么用"}},
	{verbUnorder, true, []string{"取消兑换", "退兑换", "不换了", "退积分"}},
	{verbBoard, true, []string{"积分榜", "排行榜", "光荣榜"}},
	{verbRanked, true, []string{"上榜"}},
	{verbUnranked, true, []string{"下榜"}},
	{verbFund, true, []string{"社区基金", "基金", "基金公示", "基金账目"}},
	{verbHome, false, []string{"登记住址", "登记地址", "住址"}},
	{verbSupport, true, []string{"我也想要", "也想要", "我也要"}},
	{verbContact, false, []string{"联系方式", "我的电话"}},
	{verbNamed, true, []string{"公开"}},
	{verbHidden, true, []string{"保密", "不公开"}},
	{verbTopic, false, []string{"议题", "微议题", "提议题", "提个议题", "我提个议题"}},
	{verbVote, false, []string{"投票", "表决"}},
	{verbOpen, true, []string{"开议", "开议题"}},
	{verbBench, true, []string{"板凳会"}},
	{verbBallot, true, []string{"开始投票", "请大家投票"}},
	{verbDrop, true, []string{"不开"}},
	{verbVote, true, []string{"赞成", "我赞成", "反对", "我反对", "弃权", "我弃权"}},
	{verbCall, false, []string{"协助", "请协助"}},
	{verbFinish, false, []string{"完成", "已完成"}},
	{verbDecline, false, []string{"办不了"}},
	{verbJoin, true, []string{"一起", "一起办"}},
	{verbPair, true, []string{"结对"}},
	{verbVisit, false, []string{"走访", "敲门"}},
	{verbPatrol, false, []string{"巡查", "巡逻"}},
	{verbFixed, false, []string{"随手办", "随手做"}},
	{verbCare, true, []string{"关怀", "该走访谁", "关怀名单"}},
	{verbLessons, true, []string{"党课", "微党课", "我的党课", "看党课", "学党课", "听党课"}},
	{verbLearnt, true, []string{"学完了", "听完了", "看完了", "学完", "听完", "看完", "学过了", "学习完了", "党课学完了", "课学完了"}},
	{verbHour, false, []string{"学习时间", "改学习时间", "党课时间", "学习提醒"}},
	{verbTeacher, false, []string{"问讲师", "问老师", "提问"}},
	{verbReply, false, []string{"答复", "回答"}},
	{verbInspect, false, []string{"巡检", "物业巡检"}},
	{verbScore, true, []string{"考核", "考核赋分", "物业考核"}},
	{verbBehalf, false, []string{"代报", "代办"}},
	{verbPhoned, false, []string{"回访"}},
	{verbStory, true, []string{"经过"}},
	{verbShare, true, []string{"网格", "网格情况"}},
	{verbLeave, false, []string{"请假"}},
	{verbLogin, true, []string{"登录", "登陆", "网页", "网页版", "打开网页"}},
	{verbBack, true, []string{"销假", "销假了", "我回来了", "回来上班了"}},
}

var ratings = map[string]workflow.Rating{
	"满意": workflow.Satisfied, "很满意": workflow.Satisfied, "非常满意": workflow.Satisfied, "挺好": workflow.Satisfied, "挺满意": workflow.Satisfied,
	"基本满意": workflow.Fair, "还行": workflow.Fair, "一般": workflow.Fair, "凑合": workflow.Fair,
	"不满意": workflow.Unsatisfied, "很不满意": workflow.Unsatisfied, "不行": workflow.Unsatisfied, "差": workflow.Unsatisfied,
}

// numbered is a ticket number: 4 to 9 digits, as it is said with or without
// 「号」 or 「#」. Shorter numbers are choices, longer ones telephones; a number
// that goes on as a room, a building, a date or a sum is none.
var (
	numbered  = regexp.MustCompile(`^[#第]?\s*([0-9]{4,9})(?:\s*号)?`)
	notNumber = regexp.MustCompile(`^(?:[0-9-]|\s*(?:室|房|户|楼|栋|幢|座|单元|门|年|块|元|平))`)
)

var allDigits = regexp.MustCompile(`^[#第]?\s*[0-9]{1,9}\s*号?[。.!！]?$`)

// telephone is a telephone number alone.
var telephone = regexp.MustCompile(`^\+?[0-9][0-9 -]{9,15}[。.!！]?$`)

// listen reads a text as a command; verbNone where it is none.
func listen(text string) spoken {
	text = tidy(text)
	if allDigits.MatchString(text) {
		n, _ := strconv.ParseInt(strings.Trim(text, "#第号。.!！ "), 10, 64)
		return spoken{Verb: verbNumber, Number: n}
	}
	if r, ok := ratings[strings.Trim(text, "。.!！~ ")]; ok {
		return spoken{Verb: verbRate, Rating: r}
	}
	for word, r := range ratings { // 「不满意 态度不好」
		if rest, ok := strings.CutPrefix(text, word); ok && strings.Contains(word, "满意") && rest != "" && strings.ContainsRune(" ,，。:：", []rune(rest)[0]) {
			if n, _ := leadingNumber(strings.TrimLeft(rest, " :,")); n == 0 {
				return spoken{Verb: verbRate, Rating: r, Rest: strings.Trim(rest, " ,，。:：")}
			}
		}
	}
	for word, r := range ratings { // 「满意 1024」
		if rest, ok := strings.CutPrefix(text, word); ok {
			if n, rest := leadingNumber(strings.TrimLeft(rest, " :,")); n != 0 && rest == "" {
				return spoken{Verb: verbRate, Number: n, Rating: r}
			}
		}
	}
	best, bestLen := spoken{}, 0
	for _, w := range words {
		for _, say := range w.say {
			rest, ok := strings.CutPrefix(text, say)
			if !ok || len(say) <= bestLen {
				continue
			}
			s := spoken{Verb: w.verb}
			s.Number, s.Rest = leadingNumber(strings.TrimLeft(rest, " :：,，、。!！"))
			switch {
			case s.Verb == verbRate:
				word, why, _ := strings.Cut(s.Rest, " ")
				if s.Rating = ratings[strings.Trim(word, "。.!！,，")]; s.Rating == "" {
					continue
				}
				s.Rest = strings.TrimSpace(why)
			case nothingElse[s.Verb] && s.Number != 0 && strings.Trim(s.Rest, "。.!！?？~吧啊呢 ") != "":
				continue // 「经过12345热线反映」
			case (s.Verb == verbRewards || s.Verb == verbUnorder) && s.Number == 0 && rewardNumber.MatchString(s.Rest): // 「兑换3」
			case w.alone && s.Number == 0:
				if strings.Trim(s.Rest, "。.!！?？~吧啊呢 ") != "" {
					continue // part of a sentence
				}
				s.Rest = ""
			case !w.alone && s.Number == 0 && !startsApart(rest, s.Verb):
				continue
			}
			if numberAfter[s.Verb] && s.Number == 0 { // 「指派 刘芳 1001」
				if m := anyNumber.FindStringSubmatchIndex(s.Rest); m != nil {
					s.Number, _ = strconv.ParseInt(s.Rest[m[2]:m[3]], 10, 64)
					s.Rest = strings.TrimSpace(s.Rest[:m[0]] + " " + s.Rest[m[1]:])
				}
			}
			best, bestLen = s, len(say)
		}
	}
	if best.Verb == verbNone {
		return numberFirst(text)
	}
	return best
}

// startsApart tells whether what follows a verb without a number is set apart
// from it, so that 「问题」 is no question to a resident and 「补充:…」 is one.
func startsApart(rest string, v verb) bool {
	if rest == "" || v == verbReopen || v == verbAs {
		return true
	}
	if runsOn[v] { // 「巡查3号楼正常」, but not 「走访的时候没人」
		return !strings.ContainsRune("的时人着员", []rune(rest)[0])
	}
	return strings.ContainsAny(rest[:1], " :,") || strings.HasPrefix(rest, "：") || strings.HasPrefix(rest, "，")
}

// nothingElse are the verbs that are a number and no more words.
var nothingElse = map[verb]bool{verbNamed: true, verbHidden: true, verbSupport: true, verbStory: true, verbShare: true, verbCare: true, verbBack: true, verbWho: true}

// runsOn are the verbs that staff write without a space behind them.
var runsOn = map[verb]bool{
	verbPatrol: true, verbVisit: true, verbFixed: true, verbInspect: true, verbBehalf: true, verbLeave: true, verbHome: true, verbHour: true,
	verbAssign: true, verbTransfer: true, verbCall: true,
	verbTopic: true,
}

// numberAfter are the verbs whose number may stand behind a name.
var numberAfter = map[verb]bool{verbAssign: true, verbTransfer: true, verbCall: true}

var anyNumber = regexp.MustCompile(`(?:^|[^0-9])([0-9]{4,9})(?:号)?(?:[^0-9]|$)`)

// What staff say without thinking of commands: that they have read a new task,
// that they are done, what they did on the way, that they need leave.
var (
	saidRead  = regexp.MustCompile(`^(?:好的?|收到|知道了|明白|马上|行|嗯|ok|OK)[,，。!！ ]*(?:我?(?:马上|这就|现在)?(?:去|过去|到)?(?:看看|一下|处理|办)?)?[了吧。!！]*$`)
	saidDone  = regexp.MustCompile(`^(?:都|已经?|全)?(?:办好|弄好|修好|搞定|处理好|处理完|干完|做完|清完|好)了[。!！]*$`)
	saidWhen  = regexp.MustCompile(`^(?:今天|刚才|刚刚|刚|上午|下午|早上|晚上|我们?|又)+[,，]?`)
	saidLeave = regexp.MustCompile(`请[^,，。]{0,4}假`)
)

// What a resident says who waits for something, or does not need it any more.
var (
	saidWaits = regexp.MustCompile(`^(?:还没(?:有)?(?:人)?来|怎么还没|咋还没|人呢|到底(?:来|修|办)不|催一?催|没人来|等了半天|什么时候来|啥时候来|几点来|谁来修|谁来办|办完了吗|修好了吗|到哪一步了)`)
	saidNever = regexp.MustCompile(`^(?:算了|不修了|不用修了|不用来了|不办了|不想要了|不要了|(?:我|俺)?(?:自己|们自己)(?:修|弄|办|解决)好?了|已经好了|自己好了|(?:灯|电|水|暖气)?自己(?:又)?好了)`)
	// saidPolite says nothing of what the desk asked.
	saidPolite = regexp.MustCompile(`谢|辛苦了|麻烦(?:你|您)|^(?:你好|您好|大家好|早上好|上午好|下午好|晚上好|在吗|再见|拜拜|好的?|好嘞|行|嗯+|哦|收到|知道了|明白了?|ok|[啊呀了吧,。!!,\s])+$`)
)

// meantByStaff reads what somebody of the staff says in their own words.
func meantByStaff(text string) spoken {
	text = tidy(text)
	if utf8.RuneCountInString(text) <= 20 && saidLeave.MatchString(text) {
		return spoken{Verb: verbLeave, Rest: text}
	}
	if rest := saidWhen.ReplaceAllString(text, ""); rest != text {
		if sp := listen(rest); runsOn[sp.Verb] {
			return sp
		}
	}
	if m := anyNumber.FindStringSubmatchIndex(text); m != nil { // 「1001办完了」「我也想一起来 1001」
		n, _ := strconv.ParseInt(text[m[2]:m[3]], 10, 64)
		rest := strings.Trim(text[:m[2]]+text[m[3]:], " ,，。号的")
		switch {
		case saidDone.MatchString(rest) || strings.TrimRight(rest, "了") == "办完" || strings.TrimRight(rest, "了") == "搞定":
			return spoken{Verb: verbResolve, Number: n}
		case strings.Contains(rest, "一起") && utf8.RuneCountInString(rest) <= 8:
			return spoken{Verb: verbJoin, Number: n}
		}
	}
	if rest, ok := strings.CutPrefix(text, "随手"); ok && onSpot.MatchString(text) && strings.Contains(rest, "了") {
		return spoken{Verb: verbFixed, Rest: text}
	}
	return spoken{}
}

// numberFirst reads 「1024 满意」 and 「1024 办结 灯已换」.
func numberFirst(text string) spoken {
	n, rest := leadingNumber(text)
	if n == 0 || rest == "" {
		return spoken{}
	}
	if s := listen(rest); s.Verb != verbNone && s.Verb != verbNumber && s.Number == 0 {
		s.Number = n
		return s
	}
	return spoken{}
}

func leadingNumber(s string) (int64, string) {
	m := numbered.FindStringSubmatchIndex(s)
	if m == nil {
		return 0, s
	}
	n, err := strconv.ParseInt(s[m[2]:m[3]], 10, 64)
	if err != nil || notNumber.MatchString(s[m[1]:]) {
		return 0, s
	}
	return n, strings.TrimLeft(s[m[1]:], " :：,，、。;；")
}

// tidy folds full-width forms to half and trims the text.
func tidy(text string) string {
	return strings.TrimSpace(width.Fold.String(strings.ToValidUTF8(text, "")))
}
