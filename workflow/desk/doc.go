// Package desk is the room where the machine meets the stores: it loads
// tickets, lets package workflow decide, gathers what was decided into one
// Change, has the Journal commit it, and then tells the Drive. It also turns
// the clocks and rebuilds what the Drive lost.
//
// PostgreSQL decides (Journal), Redis drives (Drive): an error of the Journal
// means that nothing happened; an error of the Drive is repaired later from
// the Journal and is never shown to anybody.
//
// What must never come in: rules (package workflow), words for people
// (configs), WeChat (bot), SQL and Redis commands (storage).
package desk
