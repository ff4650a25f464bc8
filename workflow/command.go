package workflow

import (
	"slices"
	"time"
)

// Command is what somebody, or the clock, wants of a ticket. Fields that the
// command does not use are zero.
type Command struct {
	Name  CommandName
	Actor Actor
	Text  string  // words: report, question, answer, reason, result; leave: what the ticket says from now on
	Media []Media // photos and recordings that come with it; leave: those it has from now on

	Kind     Kind // file, classify, advise, answer while received; so the next three
	Category Category
	Severity Severity
	Danger   string
	Place    Place // file, classify, answer, leave: where it is for who waits for it now

	Reporter PersonID   // file on behalf, adopt, leave: whose matter it is; absorb: whose ticket comes in
	To       PersonID   // assign, transfer: the new owner; call: the helper; decline by the desk: whose part
	Why      string     // assign: the rule that chose
	Unit     string     // claim: the unit as it is shown
	Topic    Topic      // ask
	Into     int64      // merge: the ticket that lives on; absorb, release: the one that ends or lives again
	Follow   []PersonID // absorb, release: who follows now or no longer; adopt: whose matter it was
	Rating   Rating
	Clock    Clock // tick: the clock that fires
	Source   Source
	Outside  bool          // assign, transfer, claim, call: it leaves its grid's hands; see LeavesGrid
	Phoned   bool          // rate: the reporter said so on the telephone, having no WeChat
	Yes      bool          // consent: given or taken back
	Every    time.Duration // pair: the rhythm of visits, whole days
}

// CommandName names a command of the table.
type CommandName string

// The commands. The Chinese words are those of the design's list.
const (
	CmdFile       CommandName = "file"       // a report comes in
	CmdClassify   CommandName = "classify"   // say what and where it is, or correct it
	CmdToTray     CommandName = "to_tray"    // file by hand: nobody was found, or nobody understood
	CmdAdvise     CommandName = "advise"     // a second opinion on what nobody understood yet
	CmdAssign     CommandName = "assign"     // 派单
	CmdPublish    CommandName = "publish"    // a wish goes on the wall
	CmdClaim      CommandName = "claim"      // 认领
	CmdAccept     CommandName = "accept"     // 接单
	CmdTransfer   CommandName = "transfer"   // 转派
	CmdReturn     CommandName = "return"     // 退单
	CmdAsk        CommandName = "ask"        // ask the resident
	CmdAnswer     CommandName = "answer"     // the resident answers
	CmdNote       CommandName = "note"       // progress, told to the resident
	CmdSupplement CommandName = "supplement" // 补充
	CmdResolve    CommandName = "resolve"    // 办结
	CmdRate       CommandName = "rate"       // 评价
	CmdReopen     CommandName = "reopen"     // 重办
	CmdCancel     CommandName = "cancel"     // 撤销
	CmdMerge      CommandName = "merge"      // 并案: this ticket ends in another
	CmdAbsorb     CommandName = "absorb"     // the other side of a merge
	CmdSplit      CommandName = "split"      // 拆分: a merged ticket was another matter after all
	CmdRelease    CommandName = "release"    // the other side of a split
	CmdAdopt      CommandName = "adopt"      // a resident became staff: their matters follow them
	CmdLeave      CommandName = "leave"      // who reported it takes it back; it goes on for others who wait for it
	CmdUrge       CommandName = "urge"       // 催办
	CmdEscalate   CommandName = "escalate"   // 督办
	CmdTick       CommandName = "tick"       // a clock fires

	CmdMove    CommandName = "move"    // its building belongs to another grid now
	CmdCall    CommandName = "call"    // 协助: somebody gets a part of it
	CmdJoin    CommandName = "join"    // 一起办: another claimer joins a wish, or takes a part of it
	CmdFinish  CommandName = "finish"  // a part is done
	CmdDecline CommandName = "decline" // a part is handed back
	CmdPair    CommandName = "pair"    // 结对: visits in a rhythm until it ends
	CmdVisit   CommandName = "visit"   // 走访 of a pair
	CmdConsent CommandName = "consent" // the reporter lets claimers know who asks
	CmdSupport CommandName = "support" // 我也想要
	CmdThank   CommandName = "thank"   // 表扬 of who handled it
	CmdClose   CommandName = "close"   // nobody is there to rate it
)

// ActorKind tells who speaks.
type ActorKind string

// The actors.
const (
	ActorSystem ActorKind = "system" // the desk itself: machine and clocks
	ActorPerson ActorKind = "person"
)

// Actor is who gives a command. Roles are those the person plays now.
type Actor struct {
	Kind   ActorKind
	Person PersonID
	Roles  []Role
}

// System is the desk itself.
func System() Actor { return Actor{Kind: ActorSystem} }

// By is a person as actor.
func By(p Person) Actor { return Actor{Kind: ActorPerson, Person: p.ID, Roles: p.Roles} }

// tellsWhat tells whether the command says what a ticket is about, in full.
func (cmd *Command) tellsWhat() bool {
	return (cmd.Kind == Incident || cmd.Kind == Wish) && cmd.Category != "" &&
		slices.Contains([]Severity{Emergency, Major, Minor}, cmd.Severity)
}
