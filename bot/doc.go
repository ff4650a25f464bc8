// Package bot is the room of the conversation: what a person's message means
// now, which commands it gives to the desk, and in which words the answer and
// the pushes go out over WeChat.
//
// A message comes in by Handle (bot.go), is read as a command where it is one
// (command.go), is answered by the resident's or the staff's side of the
// dialogue (resident.go, staff.go), and is committed together with its reply.
// What is owed to others leaves by push.go; photos and recordings come in by
// media.go; every word a person reads comes from wording.go.
//
// What must never come in: rules of tickets (package workflow), SQL or Redis
// commands (storage), pages (console), the wire format (bot/wechat), and
// Chinese sentences in code (configs/wording.yaml).
package bot
