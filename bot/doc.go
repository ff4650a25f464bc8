// Package bot is the room of the conversation: what a person's message means
// now, which commands it gives to the desk, and in which words the answer and
// the pushes go out over WeChat.
//
// A message comes in by Handle (bot.go), opens a session (session.go), is read
// as a command where it is one (command.go), else as what a person says
// (resident.go), and is committed together with its reply. Danger goes before
// all commands (danger.go). What may be said has a file each: a new matter
// (filing.go), an answer to what was asked (question.go), a verdict
// (verdict.go), a resident's other verbs (verbs.go), their home (home.go), a
// wish and its wall (wish.go); staff's work (staff.go), several hands on it
// (hands.go), patrols, visits and the care list (rounds.go), filing for others
// (behalf.go), leave (leave.go), a ticket's story (story.go), binding (bind.go);
// and help.go tells each what they may say.
// What is owed to others leaves by push.go (what becomes of a push) over the
// channels of channel.go; photos and recordings come in by
// media.go and hear.go, advice by advice.go; every word a person reads comes
// from wording.go.
//
// What must never come in: rules of tickets (package workflow), SQL or Redis
// commands (storage), pages (console), the wire format (bot/wechat), and
// Chinese sentences in code (configs/wording.yaml).
package bot
