/// Answers recorded from OPA 1.20.2; the columns are a function, its arguments, `=>` and the answer.
enum YAMLRows {
    static let text = #"""
        yaml	a: 1\nb: [1, 2.5, true, null, ~, yes, 'no', "x\\n"]\nc:\n  d: e\n	=>	OK {"a":"#1","b":["#1","#2.5",true,null,null,true,"no","x\n"],"c":{"d":"e"}}
        yaml	- 0x10\n- 010\n- 0o10\n- 1_000\n- 1e3\n- 1.0\n- +1\n- -0\n- 0b11\n- 12345678901234567890123\n- .5\n- 5.\n- 1e400	=>	OK ["#16","#8","#8","#1000","#1000","#1","#1","#0","#3","#1.2345678901234568e+22","#0.5","#5","1e400"]
        yaml	- .inf	=>	ERR invalid "json: unsupported value: +Inf"
        yaml	a: |\n  x\n  y\nb: >\n  x\n  y\n\n  z\nc: |-\n  q\nd: >+\n  r\n\n	=>	OK {"a":"x\ny\n","b":"x y\nz\n","c":"q","d":"r\n\n"}
        yaml	x: &a {k: 1}\ny: *a\nz:\n  <<: *a\n  m: 2	=>	OK {"x":{"k":"#1"},"true":{"k":"#1"},"z":{"k":"#1","m":"#2"}}
        yaml	a: 2001-01-01\nc: on\nd: off\ne: y\nf: n\ng: No\nh: TRUE\ni: Null	=>	OK {"a":"2001-01-01","c":true,"d":false,"e":true,"f":false,"g":false,"h":true,"i":null}
        yaml	1: a\ntrue: b\n1.5: d	=>	OK {"1":"a","true":"b","1.5":"d"}
        yaml	null: c	=>	ERR invalid "unsupported map key of type: %!s(<nil>), key: <nil>"
        yaml	{a: b, c: [d, e: f], g}	=>	OK {"a":"b","c":["d",{"e":"f"}],"g":null}
        yaml	? a\n: b	=>	OK {"a":"b"}
        yaml	a: b: c	=>	ERR invalid "yaml: mapping values are not allowed in this context"
        yaml	a: b\n c: d	=>	ERR invalid "yaml: line 2: mapping values are not allowed in this context"
        yaml		=>	OK null
        yaml	# only	=>	OK null
        yaml	--- 1\n--- 2	=>	OK "#1"
        yaml	a: 1\na: 2	=>	OK {"a":"#1","a":"#2"}
        yaml	[1,2,3	=>	ERR invalid "yaml: line 1: did not find expected ',' or ']'"
        yaml	{a: 1	=>	ERR invalid "yaml: line 1: did not find expected ',' or '}'"
        yaml	'abc	=>	ERR invalid "yaml: found unexpected end of stream"
        yaml	*x	=>	ERR invalid "yaml: unknown anchor 'x' referenced"
        yaml	@x	=>	ERR invalid "yaml: found character that cannot start any token"
        yaml	a: !!str 1	=>	OK {"a":"1"}
        yaml	!foo x	=>	OK "x"
        yaml	a:\n- 1\n- 2	=>	OK {"a":["#1","#2"]}
        yaml	- - 1\n  - 2\n-\n  a: b\n- c: d\n  e: f	=>	OK [["#1","#2"],{"a":"b"},{"c":"d","e":"f"}]
        yaml	a: 'it''s'\nb: "\\u00e9\\x41\\t\\\n  z"	=>	OK {"a":"it's","b":"éA\u0009z"}
        yaml	a: b # c\nd: e#f\ng: 'h' #i	=>	OK {"a":"b","d":"e#f","g":"h"}
        yaml	a:\nb:\n	=>	OK {"a":null,"b":null}
        yaml	plain multi\n line	=>	OK "plain multi line"
        yaml	%YAML 1.1\n---\na: 1\n...\n	=>	OK {"a":"#1"}
        yaml	a: "x\n  y\n\n  z"	=>	OK {"a":"x y\nz"}
        yaml	a: x\n  y\n\n  z\nb: 1	=>	OK {"a":"x y\nz","b":"#1"}
        emit	[[1,[2]],{"a":[{"b":1}]}]	=>	OK "- - 1\n  - - 2\n- a:\n  - b: 1\n"
        emit	"a\\nb\\n"	=>	OK "|\n  a\n  b\n"
        emit	[1e20,1e100,123456789012345678901234567890,0.1,1e-7,1.50]	=>	OK "- 1e+20\n- 1e+100\n- 1.2345678901234568e+29\n- 0.1\n- 1e-07\n- 1.5\n"
        emit	["0x1","1e3","1_0","0o7","y","n","on",".5","-","?","a ","=", "<<","!x","&x","*x","%x","`x","{x","[x","a, b","\\u2028","a: b","a :b","\\t"]	=>	OK "- \"0x1\"\n- \"1e3\"\n- \"1_0\"\n- \"0o7\"\n- \"y\"\n- \"n\"\n- \"on\"\n- \".5\"\n- '-'\n- '?'\n- 'a '\n- =\n- <<\n- '!x'\n- '&x'\n- '*x'\n- '%x'\n- '`x'\n- '{x'\n- '[x'\n- a, b\n- ' '\n- 'a: b'\n- a :b\n- \"\\t\"\n"
        """#
}
