// Package property judges a month of the property company's work by the community's
// table (考核赋分): what gives or takes points, each with the ticket or the inspection
// that it came from (count.go), which buildings are inspected in their time
// (patrol.go), and what becomes of a month that is closed (sheet.go): it stays as it
// is, and what is known better later, or was objected to with success, is a line of the
// month that is open by then.
//
// It counts and compares; what it counts from is a Source's.
package property
