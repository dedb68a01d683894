// Package scaffold holds the files that a new charm in Go starts with.
//
// [Files] fills them in; it writes nothing. A module made so finds kith by a replace
// line that leads to a checkout ([FindSDK]), and has the requirements and check sums
// of that checkout, so that it builds at once and without a network.
package scaffold
