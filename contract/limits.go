package contract

// Limits. A contract comes from anybody, and a databag from any charm: neither may
// make who checks them slow.
const (
	// MaxFileBytes is the largest contract, schema or interface file that is read.
	// The largest of the public catalogue has 25 KB.
	MaxFileBytes = 1 << 20
	// MaxSchemaNodes is how many values one key's schema may have once its
	// references are written out. The largest of the public catalogue has some hundred.
	MaxSchemaNodes = 5000
	// MaxContractNodes is how many values all schemas of one file may have: many keys
	// that each name the same large definition are compiled one by one, and compiling
	// takes microseconds for each. The largest file of the public catalogue has some hundred.
	MaxContractNodes = 20_000
	// MaxSchemaDepth is how deep a schema may nest, references written out.
	MaxSchemaDepth = 48
	// MaxKeys is how many keys one bag of a contract may have.
	MaxKeys = 500
	// MaxNameBytes is the longest name of a key, of a property in a schema, or of a class. Places
	// are named by all names on the way to them, and there may be thousands.
	MaxNameBytes = 200
	// MaxNotes is how many notes on one file are kept.
	MaxNotes = 1000
	// MaxPatternBytes is the longest regular expression. Those of the public catalogue
	// have twenty characters.
	MaxPatternBytes = 500
	// MaxPatternSize is how many instructions a regular expression may compile to: a
	// short one with nested repetitions can have very many.
	MaxPatternSize = 2000
	// MaxDepth is how deep a document may nest, be it contract, schema or value.
	MaxDepth = 100
	// MaxNumberBytes is the longest number. With MaxExponent it keeps exact
	// arithmetic on numbers such as 1e999999999 from taking all memory.
	MaxNumberBytes = 100
	// MaxExponent is the largest exponent of a number, up or down.
	MaxExponent = 400
	// MaxWork bounds the steps one bag may cost, of whatever kind: each part of a schema against
	// each value, characters against patterns, numbers in exact arithmetic. Steps of all kinds take
	// about as long, so that it is below a second on a machine of today.
	MaxWork = 2_000_000
	// MaxDetail bounds the steps of saying what is wrong with one value, which takes
	// a few hundred bytes for each. Of a larger value the part that is wrong is looked for first.
	MaxDetail = 200_000
	// MaxExampleWork bounds the steps of all examples of one contract.
	MaxExampleWork = 1_000_000
	// MaxHookWork bounds the steps of all bags that one hook has written, and of those of a relation that
	// are looked at together: a unit may be in hundreds of relations.
	MaxHookWork = 8_000_000
	// MaxViolations is how many violations of one bag are named.
	MaxViolations = 50
)
