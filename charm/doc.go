// Package charm reads what a charm says about itself: its metadata, its
// configuration options, its actions, and the archive they come in.
//
// What it promises. Every parser is a pure function from bytes to values;
// only [Read], [ReadDir], [ReadArchive], [Extract] and [Pack] touch files. A value
// a parser returns is complete: defaults are filled in, names are checked, and
// the cross-field rules of Juju hold. Every refusal is an [*Error] whose text
// begins with Juju's own words, and which names the file, the line, the field,
// the value and the rule. Of several mistakes the one that stands first in the
// file is reported, so that the same file always gives the same error. The JSON
// form of every type is stable.
//
// An archive is hostile until proved otherwise: [Extract] writes only below its
// target, whatever the archive's entries, links and sizes say, and stops at
// the limits named Max….
//
// What it does not do: it never runs a charm, never looks at the network, and
// knows nothing of models. Whether one charm may replace another is decided by
// internal/core.
//
// Section numbers in comments are those of the project's charm format reference.
package charm
