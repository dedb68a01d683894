package contract

// Limits. A contract comes from anybody, and a databag from any charm: neither may
// make who checks them slow.
const (
	// MaxFileBytes is the largest contract, schema or interface file that is read.
	// The largest of the public catalogue has 25 KB.
	MaxFileBytes = 1 << 20
	// MaxSchemaNodes is how many values one key's schema may have once its
	// references are written out. The largest of the public catalogue has about 700.
	MaxSchemaNodes = 5000
	// MaxContractNodes is how many values all schemas of one file may have: many keys
	// that each name the same large definition are compiled one by one.
	MaxContractNodes = 50_000
	// MaxSchemaDepth is how deep a schema may nest, references written out.
	MaxSchemaDepth = 48
	// MaxKeys is how many keys one bag of a contract may have.
	MaxKeys = 500
	// MaxPatternBytes is the longest regular expression.
	MaxPatternBytes = 1000
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
	// MaxWork bounds the steps one bag may cost: of each value its weight times that of its
	// schema. It is below a second even where every step is as slow as can be.
	MaxWork = 50_000_000
	// MaxViolations is how many violations of one bag are named.
	MaxViolations = 50
)
