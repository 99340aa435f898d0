/// Answers recorded from OPA 1.20.2; the columns are a function, its arguments, `=>` and the answer.
enum EncodingRows {
    static let text = #"""
        b64d	aGVsbG8	=>	ERR invalid "illegal base64 data at input byte 4"
        b64d	aGVsbG8=\n	=>	OK "hello"
        b64d	aGVs\nbG8=	=>	OK "hello"
        b64d	a===	=>	ERR invalid "illegal base64 data at input byte 1"
        b64d	aGVsbG9=	=>	OK "hello"
        b64d	aGVsbG8==	=>	ERR invalid "illegal base64 data at input byte 8"
        b64d	!	=>	ERR invalid "illegal base64 data at input byte 0"
        b64d	_-8=	=>	ERR invalid "illegal base64 data at input byte 0"
        b64d		=>	OK ""
        b64v	aGVsbG8	=>	OK false
        b64v	aGVs\nbG8=	=>	OK true
        b64ud	_-8=	=>	OK "��"
        b64ud	_-8	=>	OK "��"
        b64ud	+/8=	=>	ERR invalid "illegal base64 data at input byte 0"
        b64ud	_-8==	=>	ERR invalid "illegal base64 data at input byte 4"
        b64ud	_-9	=>	OK "��"
        b64ud	a	=>	ERR invalid "illegal base64url string: a"
        b64ud	ab\nc	=>	ERR invalid "illegal base64 data at input byte 1"
        b64un	ÿþ	=>	OK "w7_Dvg"
        hexd	6	=>	ERR invalid "encoding/hex: odd length hex string"
        hexd	zz	=>	ERR invalid "encoding/hex: invalid byte: U+007A 'z'"
        hexd	6Zz	=>	ERR invalid "encoding/hex: invalid byte: U+005A 'Z'"
        hexd	ABab	=>	OK "��"
        hex	héé	=>	OK "68c3a9c3a9"
        qenc	a b/ü?&=~-_.!*'()@:+,;$[]	=>	OK "a+b%2F%C3%BC%3F%26%3D~-_.%21%2A%27%28%29%40%3A%2B%2C%3B%24%5B%5D"
        qdec	a+b%20c%	=>	ERR invalid "invalid URL escape \"%\""
        qdec	a%zz	=>	ERR invalid "invalid URL escape \"%zz\""
        qdec	a%4	=>	ERR invalid "invalid URL escape \"%4\""
        qdec	%ff	=>	OK "�"
        qobj	a=1&b=2&a=3&c&=x&&d=%41+b	=>	OK {"a":["1","3"],"b":["2"],"c":[""],"":["x"],"d":["A b"]}
        qobj	a=%zz	=>	ERR invalid "invalid URL escape \"%zz\""
        qobj	a=1;b=2	=>	ERR invalid "invalid semicolon separator in query"
        qobj		=>	OK {}
        qobj	%=1	=>	ERR invalid "invalid URL escape \"%\""
        md5		=>	OK "d41d8cd98f00b204e9800998ecf8427e"
        sha256	abc	=>	OK "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        hsha512	m	k	=>	OK "94ec958658ae2d2e92ae742007904d439af3a5509156f6ad5bd0bab74868b4cbb7cbc817162b11e4aff59813415a730e9720fc5ff1d1015a1f7d1b67fb047d87"
        uuid	00000000-0000-4000-8000-000000000000	=>	OK {"version":"#4","variant":"RFC4122"}
        uuid	urn:uuid:00000000-0000-4000-8000-000000000000	=>	OK {"version":"#4","variant":"RFC4122"}
        uuid	{00000000-0000-4000-8000-000000000000}	=>	OK {"version":"#4","variant":"RFC4122"}
        uuid	00000000000040008000000000000000	=>	OK {"version":"#4","variant":"RFC4122"}
        uuid	00000000-0000-1000-0000-000000000000	=>	OK {"version":"#1","variant":"Reserved","time":"#6227451273709551616","nodeid":"00-00-00-00-00-00","clocksequence":"#0","macvariables":"global:unicast"}
        uuid	00000000-0000-1000-e000-030000000000	=>	OK {"version":"#1","variant":"Future","time":"#6227451273709551616","nodeid":"03-00-00-00-00-00","clocksequence":"#8192","macvariables":"local:multicast"}
        uuid	000003e8-48b9-21ee-b200-325096b39f47	=>	OK {"version":"#2","variant":"RFC4122","time":"#1693566990121469600","nodeid":"32-50-96-b3-9f-47","clocksequence":"#12800","macvariables":"local:unicast","id":"#1000","domain":"Person"}
        uuid	000003e8-48b9-21ee-b201-325096b39f47	=>	OK {"version":"#2","variant":"RFC4122","time":"#1693566990121469600","nodeid":"32-50-96-b3-9f-47","clocksequence":"#12801","macvariables":"local:unicast","id":"#1000","domain":"Group"}
        uuid	000003e8-48b9-21ee-b202-325096b39f47	=>	OK {"version":"#2","variant":"RFC4122","time":"#1693566990121469600","nodeid":"32-50-96-b3-9f-47","clocksequence":"#12802","macvariables":"local:unicast","id":"#1000","domain":"Org"}
        uuid	000003e8-48b9-21ee-b203-325096b39f47	=>	OK {"version":"#2","variant":"RFC4122","time":"#1693566990121469600","nodeid":"32-50-96-b3-9f-47","clocksequence":"#12803","macvariables":"local:unicast","id":"#1000","domain":"Domain3"}
        uuid	6ba7b810-9dad-11d1-80b4-00c04fd430c8	=>	OK {"version":"#1","variant":"RFC4122","time":"#886630433151182400","nodeid":"00-c0-4f-d4-30-c8","clocksequence":"#180","macvariables":"global:unicast"}
        uuid	1ec9414c-232a-6b00-b3c8-9e6bdeced846	=>	OK {"version":"#6","variant":"RFC4122"}
        uuid	017f22e2-79b0-7cc3-98c4-dc0c0c07398f	=>	OK {"version":"#7","variant":"RFC4122"}
        uuid	00000000-0000-5000-8000-000000000000	=>	OK {"version":"#5","variant":"RFC4122"}
        uuid	00000000-0000-8000-8000-000000000000	=>	OK {"version":"#8","variant":"RFC4122"}
        uuid	00000000-0000-0000-0000-000000000000	=>	OK {"version":"#0","variant":"Reserved"}
        uuid	ffffffff-ffff-ffff-ffff-ffffffffffff	=>	OK {"version":"#15","variant":"Future"}
        uuid	URN:uuid:00000000-0000-4000-8000-000000000000	=>	OK {"version":"#4","variant":"RFC4122"}
        semver_valid	1.0.0-alpha.1+b.01	=>	OK true
        semver_valid	1.0.0-alpha.01	=>	OK true
        semver_valid	v1.0.0	=>	OK true
        semver_valid	1.0	=>	OK false
        semver_valid	01.0.0	=>	OK true
        semver_valid	1.0.0-	=>	OK true
        semver_valid	1.0.0+	=>	OK true
        semver_valid	1.0.0-a..b	=>	OK false
        semver_valid	1.0.0-a_b	=>	OK false
        semver_valid	 1.0.0	=>	OK false
        semver_valid	99999999999999999999.0.0	=>	OK false
        semver	1.0.0+a	1.0.0+b	=>	OK #0
        semver	1.10.0	1.9.0	=>	OK #1
        semver	x	1.9.0	=>	ERR invalid "operand 1: string \"x\" is not a valid SemVer"
        semver	1.0	1.9.0	=>	ERR invalid "operand 1: string \"1.0\" is not a valid SemVer"
        semver	1.0.0		=>	ERR invalid "operand 2: string \"\" is not a valid SemVer"
        semver	1.0.x	1.0.0	=>	ERR invalid "operand 1: string \"1.0.x\" is not a valid SemVer"
        semver	99999999999999999999.0.0	1.0.0	=>	ERR invalid "operand 1: string \"99999999999999999999.0.0\" is not a valid SemVer"
        semver	1.0.00	1.0.0	=>	OK #0
        semver	v1.0.0	1.0.0	=>	OK #0
        semver	-1.0.0	1.0.0	=>	ERR invalid "operand 1: string \"-1.0.0\" is not a valid SemVer"
        semver	+1.0.0	1.0.0	=>	ERR invalid "operand 1: string \"+1.0.0\" is not a valid SemVer"
        semver	1.0.0.0	1.0.0	=>	ERR invalid "operand 1: string \"1.0.0.0\" is not a valid SemVer"
        units	1.5	=>	OK #1.5000000000
        units		=>	ERR invalid "units.parse: no amount provided"
        units	""	=>	ERR invalid "units.parse: no amount provided"
        units	K	=>	ERR invalid "units.parse: no amount provided"
        units	1 K	=>	ERR invalid "units.parse: spaces not allowed in resource strings"
        units	1.5.5	=>	ERR invalid "units.parse: could not parse amount to a number"
        units	-1K	=>	OK #-1000
        units	+1K	=>	OK #1000
        units	1KB	=>	ERR invalid "units.parse: unit Kb not recognized"
        units	1x	=>	ERR invalid "units.parse: unit x not recognized"
        units	1e	=>	OK #1000000000000000000
        units	1e+3	=>	OK #1000
        units	1e3e	=>	OK #1000000000000000000000
        units	1E	=>	OK #1000000000000000000
        units	1Ei	=>	OK #1152921504606846976
        units	1e5E	=>	OK #100000000000000000000000
        units	1.1Ki	=>	OK #1126.4000000000
        units	1.1G	=>	OK #1100000000
        units	100m	=>	OK #0.1000000000
        units	1M	=>	OK #1000000
        units	1mi	=>	OK #1048576
        units	0.1m	=>	OK #0.0001000000
        units	1/3	=>	ERR invalid "units.parse: unit /3 not recognized"
        units	.5K	=>	OK #500
        units	5.K	=>	OK #5000
        units	1_0	=>	ERR invalid "units.parse: unit _0 not recognized"
        units	0x10	=>	ERR invalid "units.parse: unit x10 not recognized"
        units	1e-5m	=>	OK #0.0000000100
        units	1e-400	=>	OK #0.0000000000
        units	12345678901234567890.5K	=>	OK #12345678901234567890500
        units	0.3333333333333333333	=>	OK #0.3333333333
        units	"1K	=>	OK #1000
        units	1"K	=>	OK #1000
        unitsb	1.5	=>	OK #1
        unitsb		=>	ERR invalid "units.parse_bytes: no byte amount provided"
        unitsb	KB	=>	ERR invalid "units.parse_bytes: no byte amount provided"
        unitsb	1 KB	=>	ERR invalid "units.parse_bytes: spaces not allowed in resource strings"
        unitsb	1.5.5	=>	ERR invalid "units.parse_bytes: could not parse byte amount to a number"
        unitsb	-1KB	=>	OK #-1000
        unitsb	1x	=>	ERR invalid "units.parse_bytes: byte unit x not recognized"
        unitsb	1e	=>	OK #1000000000000000000
        unitsb	1e+3	=>	OK #1000
        unitsb	1.1KiB	=>	OK #1126
        unitsb	1.9	=>	OK #1
        unitsb	-1.9	=>	OK #-1
        unitsb	1Mb	=>	OK #1000000
        unitsb	1b	=>	ERR invalid "units.parse_bytes: byte unit b not recognized"
        unitsb	1 	=>	ERR invalid "units.parse_bytes: spaces not allowed in resource strings"
        unitsb	1/3	=>	ERR invalid "units.parse_bytes: byte unit /3 not recognized"
        unitsb	"100TI"	=>	OK #109951162777600
        unitsb	0.5Ki	=>	OK #512
        unitsb	1Z	=>	ERR invalid "units.parse_bytes: byte unit z not recognized"
        unitsb	1Zi	=>	ERR invalid "units.parse_bytes: byte unit zi not recognized"
        unitsb	1Y	=>	ERR invalid "units.parse_bytes: byte unit y not recognized"
        unitsb	5.K	=>	OK #5000
        unitsb	.5K	=>	OK #500
        unitsb	1ſ	=>	ERR invalid "units.parse_bytes: byte unit ſ not recognized"
        contains	10.0.0.0/8	10.0.0.0/8	=>	OK true
        contains	10.0.0.0/8	x	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: x"
        contains	10.0.0.0/8	10.0.0.1/33	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: 10.0.0.1/33"
        contains	x	10.0.0.1	=>	ERR invalid "invalid CIDR address: x"
        contains	10.0.0.0	10.0.0.1	=>	ERR invalid "invalid CIDR address: 10.0.0.0"
        contains	10.0.0.0/8	::1	=>	OK false
        contains	::/0	10.0.0.1	=>	OK false
        contains	::ffff:10.0.0.0/104	10.0.0.1	=>	OK true
        contains	10.0.0.0/8	::ffff:10.0.0.1	=>	OK true
        contains	10.0.0.0/08	10.0.0.1	=>	OK true
        contains	010.0.0.0/8	10.0.0.1	=>	ERR invalid "invalid CIDR address: 010.0.0.0/8"
        contains	10.0.0/8	10.0.0.1	=>	ERR invalid "invalid CIDR address: 10.0.0/8"
        contains	fe80::1%eth0/64	fe80::1	=>	ERR invalid "invalid CIDR address: fe80::1%eth0/64"
        contains	fe80::/64	fe80::1%eth0	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: fe80::1%eth0"
        contains	10.0.0.0/8	10.0.0.0/7	=>	OK false
        contains	0.0.0.0/0	::/0	=>	OK false
        contains	::/0	0.0.0.0/0	=>	OK false
        intersects	10.0.0.0/8	10.0.0.1	=>	ERR invalid "invalid CIDR address: 10.0.0.1"
        intersects	10.0.0.0/8	10.1.0.0/16	=>	OK true
        intersects	10.0.0.0/8	11.1.0.0/16	=>	OK false
        intersects	::/0	11.1.0.0/16	=>	OK false
        intersects	x	y	=>	ERR invalid "invalid CIDR address: x"
        cidr_valid	10.0.0.0/8	=>	OK true
        cidr_valid	10.0.0.0	=>	OK false
        cidr_valid	::/129	=>	OK false
        cidr_valid	::1/128	=>	OK true
        cidr_valid	1:2:3:4:5:6:7:8/64	=>	OK true
        cidr_valid	1::2::3/64	=>	OK false
        cidr_valid	::ffff:1.2.3.4/128	=>	OK true
        cidr_valid	1:2:3:4:5:6:1.2.3.4/128	=>	OK true
        cidr_valid	10.0.0.0/-1	=>	OK false
        cidr_valid	10.0.0.0/+8	=>	OK false
        cidr_valid	10.0.0.0/8 	=>	OK false
        expand	10.0.0.1/31	=>	OK ["10.0.0.0","10.0.0.1"]
        expand	::1/127	=>	OK ["::","::1"]
        expand	10.0.0.1	=>	ERR invalid "invalid CIDR address: 10.0.0.1"
        expand	2001:db8:0:0:1::/128	=>	OK ["2001:db8:0:0:1::"]
        expand	::ffff:1.2.3.4/128	=>	OK ["1.2.3.4"]
        merge	10.0.0.1	10.0.0.0	=>	OK ["10.0.0.0/8"]
        merge	10.0.0.0/24	10.0.0.5	=>	OK ["10.0.0.0/8"]
        merge	::1/128	10.0.0.5/32	=>	OK ["10.0.0.5/32","::1/128"]
        merge	10.0.0.7/24	=>	OK ["10.0.0.0/24"]
        merge	10.0.0.0/33	=>	ERR invalid "invalid CIDR address: 10.0.0.0/33"
        merge	2001:db8::/33	2001:db8:8000::/33	=>	OK ["2001:db8::/32"]
        merge	0.0.0.0/1	128.0.0.0/1	=>	OK ["0.0.0.0/0"]
        merge	foo	=>	ERR invalid "invalid CIDR address: foo"
        merge	10.0.0.0/24	10.0.1.0/24	10.0.2.0/23	10.0.4.0/22	=>	OK ["10.0.0.0/21"]
        merge	1.1.1.1	1.1.1.3	=>	OK ["1.0.0.0/8"]
        merge	1.1.1.1	1.1.1.2	=>	OK ["1.0.0.0/8"]
        merge	::1	::2	=>	ERR invalid "IPv6 invalid: needs prefix length"
        merge	::1/127	::2/127	=>	OK ["::/126"]
        globs	a.a.[0-9]+z	b.b.[0-9]*	=>	OK false
        globs	[a-z]+	[0-9]*	=>	OK false
        globs	a*	b*	=>	OK false
        globs		a	=>	OK false
        globs	a(b)	a	=>	OK false
        globs	a?	a	=>	OK false
        globs	^a$	a	=>	OK false
        globs	[^a]	b	=>	OK false
        globs	[a	b	=>	ERR invalid "input:[a, pos:2, found [ without matching ]: the input provided is invalid"
        globs	a]	b	=>	ERR invalid "input:a], pos:2, set-close ']' with no preceding '[': the input provided is invalid"
        globs	*a	b	=>	ERR invalid "input:*a, pos:1, flag '*' must be preceded by a non-flag: the input provided is invalid"
        globs	a**	b	=>	ERR invalid "input:a**, pos:3, flag '*' must be preceded by a non-flag: the input provided is invalid"
        globs	a+*	b	=>	ERR invalid "input:a+*, pos:3, flag '*' must be preceded by a non-flag: the input provided is invalid"
        globs	[z-a]	b	=>	ERR invalid "input:[z-a], pos:4, range is out of order: 'a' comes before 'z' in Unicode: the input provided is invalid"
        globs	[a-]	-	=>	ERR invalid "input:[a-], pos:3, range character '-' must be followed by a Unicode character: the input provided is invalid"
        globs	[-a]	-	=>	ERR invalid "input:[-a], pos:2, range character '-' must be preceded by a Unicode character: the input provided is invalid"
        globs	\\	b	=>	ERR invalid "input:\\, pos:0, input ends with a \\ (escape) character: the input provided is invalid"
        globs	\\[a\\]	\\[[a-c]\\]	=>	OK true
        globs	[]	b	=>	OK false
        globs	[\\]]	\\]	=>	OK true
        globs	.*	abc	=>	OK true
        globs	.		=>	OK false
        globs	a.b	a\\.b	=>	OK true
        globs	a-b	a-b	=>	OK true
        globs	[a[b]	b	=>	OK true
        globs	{a}	{a}	=>	OK true
        globs	\\.[ab]		=>	OK false
        b64ud	MVktCj_DqWE5YTt=MMOpPVorK1hj	=>	ERR invalid "illegal base64 data at input byte 16"
        expand	1.102.1.255/28	=>	OK ["1.102.1.240","1.102.1.241","1.102.1.242","1.102.1.243","1.102.1.244","1.102.1.245","1.102.1.246","1.102.1.247","1.102.1.248","1.102.1.249","1.102.1.250","1.102.1.251","1.102.1.252","1.102.1.253","1.102.1.254","1.102.1.255"]
        intersects	/:/8	1.131.28.10/19	=>	ERR invalid "invalid CIDR address: /:/8"
        contains	192.0.1.0/15	%0.128.1.10	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: %0.128.1.10"
        expand	ff::/124	=>	OK ["ff::","ff::1","ff::2","ff::3","ff::4","ff::5","ff::6","ff::7","ff::8","ff::9","ff::a","ff::b","ff::c","ff::d","ff::e","ff::f"]
        contains	0.1.1.10/6	235.127.128.1	=>	OK false
        md5	/?;\né=é-	=>	OK "4660a1e53691ac8a4390c4a0120bd96b"
        intersects	::/108	127.127.255.1/21	=>	OK false
        qobj	+f	=>	OK {" f":[""]}
        uuid	urn:uuid:1b9207e6-f1eb-1280-0df5-e7e3d75d1bb5	=>	OK {"version":"#1","variant":"Reserved","time":"#5821704917698352600","nodeid":"e7-e3-d7-5d-1b-b5","clocksequence":"#3573","macvariables":"local:multicast"}
        md5	&-Z+Y-//.bZ%Y%==Zb_-Xé_%Y日0_	=>	OK "799a3dd515e787c0a13a3873e6c3c581"
        b64ud	WT1YClk=	=>	OK "Y=X\nY"
        expand	::1/128	=>	OK ["::1"]
        uuid	urn:uuid:f7183f75-f127-167e-7a28-e30a2c60642d	=>	OK {"version":"#1","variant":"Reserved","time":"#-2305124422950073932","nodeid":"e3-0a-2c-60-64-2d","clocksequence":"#14888","macvariables":"local:multicast"}
        intersects	0:0:0:1:1:ffff:1:0/116	0:1:0:1:ffff:2eaf:0:1/112	=>	OK false
        b64u	-YZZY-;é?0_cZ/0Z+	=>	OK "LVlaWlktO8OpPzBfY1ovMFor"
        unitsb	9e	=>	OK #9000000000000000000
        merge	127.1.10.192/24	127.1.10.99/20	127.1.10.224/23	127.1.10.80/21	=>	OK ["127.1.0.0/20"]
        unitsb	678.9480960602E5MB	=>	OK #67894809606020
        qdec	++é&é	=>	OK "  é&é"
        globs	b+	\\.[a-c]+b	=>	OK false
        qdec	&	=>	OK "&"
        unitsb	53546102b	=>	ERR invalid "units.parse_bytes: byte unit b not recognized"
        cidr_valid	128.0.128.192/10	=>	OK true
        globs	[a-c]*[ab]	c\\%[^a]b[ab]	=>	OK false
        b64v	K18uY1grXy0gW8=	=>	OK false
        contains	1:2:3:4:5:6:7:8/85	::	=>	OK false
        b64ud	Oz07IC4tWCZYw6kmLlg7Ylg=	=>	OK ";=; .-X&Xé&.X;bX"
        contains	2001:db8::/84	255.10.128.217/3	=>	OK false
        contains	ff::/109	1.10.0.255	=>	OK false
        b64ud	O2IgOTAuYjkuMSVjWj8uOw==	=>	OK ";b 90.b9.1%cZ?.;"
        b64v		=>	OK true
        expand	2001:db8::/125	=>	OK ["2001:db8::","2001:db8::1","2001:db8::2","2001:db8::3","2001:db8::4","2001:db8::5","2001:db8::6","2001:db8::7"]
        uuid	urn:uuid:01a03de0-3de5-4f22-5d49-5e83da0f2e9f	=>	OK {"version":"#4","variant":"Reserved"}
        intersects	1:0:0:2:0:0:0:3/72	0.128.192.255/15	=>	OK false
        merge	229.255.192.173/30	1.0.192.128/25	=>	OK ["1.0.192.128/25","229.255.192.172/30"]
        sha256	9&%_&;Y;%	=>	OK "70521c292349481df7113007eb3066027b6cfb1986a1c1f8dc14a73c5513f491"
        merge	255.10.255.137/20	255.10.255.105/24	255.10.255.178/29	255.10.255.204/20	255.10.255.109/21	=>	OK ["255.10.240.0/20"]
        unitsb	92575e-11Pib	=>	OK #1042301838
        b64d	JAhiJl9ZLw==	=>	OK "$\u0008b&_Y/"
        contains	1:0:0:2:0:0:0:3/84	2001:db8::	=>	OK false
        contains	70.192.10.192/5	255.1.0.192/16	=>	OK false
        qobj	+&+4141%41	=>	OK {" ":[""]," 4141A":[""]}
        hsha256	?a;=X?&- 90_Y\n_-0/9X;.Y+-;日b+==Y+X&éZ=_X/9%;%0%_	9;é199=%&0b=%9a.&bY\n +YY=-0-% aZa&%Z0日=bX%a+.?9日X09-cZé日bZ日Xaa..a;Z1Z9.Y	=>	OK "5c19c3bb59a91d8be726a33287a7250fffda81b22d49e6f084b3800481a555de"
        b64d	YsOpKysvLis=	=>	OK "bé++/.+"
        b64d	Owo-	=>	ERR invalid "illegal base64 data at input byte 3"
        intersects	::ffff:1.2.3.4/2	0.128.127.1/2	=>	OK false
        hexd	%41f41é0é	=>	ERR invalid "encoding/hex: invalid byte: U+0025 '%'"
        unitsb	58189728E5MB	=>	OK #5818972800000000000
        b64v	K+aXpTEKMVhhWC\nKPwo/Wg==	=>	OK false
        globs	.\\.c		=>	OK false
        unitsb	277.961367801g	=>	OK #277961367801
        merge	255.10.128.10/8	2001:db8::/47	0.244.1.127/1	=>	OK ["0.0.0.0/1","2001:db8::/47","255.0.0.0/8"]
        globs	c+b*a[a-c][ab]+	[^a]+[a-c][a-c]+[ab]*	=>	OK false
        uuid	6bc2b23e-290f-4ea0-cd88-a03f40be0a46	=>	OK {"version":"#4","variant":"Microsoft"}
        b64ud	WuaXpS1iM-Op	=>	OK "Z日-b3��"
        globs	a*a*[ab][a-c]+	[ab][ab]+c*c+	=>	OK true
        globs	.*c*c*\\.+b+	\\..+.+b0ab]	=>	ERR invalid "input:\\..+.+b0ab], pos:11, set-close ']' with no preceding '[': the input provided is invalid"
        b64v	Kz0lWisrJTkAP2Mr	=>	OK true
        intersects	0.255.10.127/16	10.0.127.192x24	=>	ERR invalid "invalid CIDR address: 10.0.127.192x24"
        unitsb	-395689675E5KiB	=>	OK #-40518622720000000
        qdec	a=%4141é%	=>	ERR invalid "invalid URL escape \"%\""
        globs	c.+[a-c]a*	[a-c]*c+[^a]b	=>	OK false
        b64ud	w6k9YcOpMCVfLysKLT8KYz-K	=>	OK "é=aé0%_/+\n-?\nc?�"
        uuid	75687fe1-58ba-25d4-de42-cb8d7a9acc5f	=>	OK {"version":"#2","variant":"Microsoft","time":"#-7106958636494818332","nodeid":"cb-8d-7a-9a-cc-5f","clocksequence":"#7746","macvariables":"local:multicast","id":"#1969782753","domain":"Domain66"}
        cidr_valid	127.192.1.1/15	=>	OK true
        contains	255.255.128.128/1	127.59.1.128/17	=>	OK false
        contains	0:0:1:0:0:0:0:1/118	2001:db8::	=>	OK false
        units	492.6982e0M	=>	OK #492698200
        contains	::/81	0.192.127.128/7	=>	OK false
        unitsb	62.298761E5TB	=>	OK #6229876100000000000
        contains	10.127.127.10/5	10.1.128.0	=>	OK true
        uuid	urn:uuid:c4736fb0-81de-1a95-6786-81a70f996e3c	=>	OK {"version":"#1","variant":"Reserved","time":"#8706325547650293952","nodeid":"81-a7-0f-99-6e-3c","clocksequence":"#10118","macvariables":"global:multicast"}
        unitsb	+804e-2MB	=>	OK #8040000
        b64ud	Cis=	=>	OK "\n+"
        unitsb	-265.901587031079KiB	=>	OK #-272283
        b64v	YyXqcOpKy8m	=>	OK false
        unitsb	-3E5kb	=>	OK #-300000000
        b64un	ab日ac1-b9X =?é/+a+1Xé+écé-X/=1=9aY;&11日.b 09_Y;Z?+%?\n=b. = +Zc_Y+	=>	OK "YWLml6VhYzEtYjlYID0_w6kvK2ErMVjDqSvDqWPDqS1YLz0xPTlhWTsmMTHml6UuYiAwOV9ZO1o_KyU_Cj1iLiA9ICtaY19ZKw"
        merge	128.127.10.177/23	128.127.10.251/23	128.127.10.244/23	128.127.10.59/25	128.127.10.229/22	=>	OK ["128.127.8.0/22"]
        cidr_valid	ff:./10	=>	OK false
        units	-517278546094e5	=>	OK #-51727854609400000
        intersects	1:0:0:2:0:0:0:3/105	214.192.192.0/0	=>	OK false
        b64v	Yz075pelCg==	=>	OK true
        globs			=>	OK true
        unitsb	80e-5	=>	OK #0
        b64ud	WmJiOSUrJjliw6k	=>	OK "Zbb9%+&9bé"
        b64ud	YTAwLjvml-VfK2E9	=>	OK "a00.;���_+a="
        expand	fe80::1/125	=>	OK ["fe80::","fe80::1","fe80::2","fe80::3","fe80::4","fe80::5","fe80::6","fe80::7"]
        uuid	urn:uuid:4de635a8-fb73-1aa4-65cf-06a832778ed3	=>	OK {"version":"#1","variant":"Reserved","time":"#9141905899528385952","nodeid":"06-a8-32-77-8e-d3","clocksequence":"#9679","macvariables":"local:unicast"}
        uuid	00983dc9-8ed2-42e4-ebee-54761e583f41	=>	OK {"version":"#4","variant":"Future"}
        merge	127.10.127.119/32	127.10.127.133/29	127.10.127.61/28	=>	OK ["127.10.127.119/32","127.10.127.128/29","127.10.127.48/28"]
        b64ud	JS87PSYtKwomWcOpAytiIA==	=>	OK "%/;=&-+\n&Yé\u0003+b "
        globs	[a-c]*	..[^a]a.	=>	OK true
        qdec	%41é&é	=>	OK "Aé&é"
        expand	10.127.128.255/30	=>	OK ["10.127.128.252","10.127.128.253","10.127.128.254","10.127.128.255"]
        b64ud	OS\nx5pelLSsu	=>	ERR invalid "illegal base64 data at input byte 9"
        hsha1	..cé001Y X0-= &	aa19.\n&-c/%&b=\n= =;=;/-日+9=\nZ/Yb/=.écZ日c ;=.&bY0 _Z. +_日日cX;9=0.éXY&1/_&1_&=a_ &é&./é\nX+a?;c9Yb_ Z\nZ1a0a\n\n	=>	OK "1c2df7fe4ab0a34fe48cbd4cb1fe0553c7d654ba"
        b64d	L+aXpeaXpT1h\nw==	=>	ERR invalid "illegal base64 data at input byte 14"
        qenc	Z c Z&_日09/9=?Y% ZY日\n?a&ac_=b9é.日0a1a=&/1.9;/Z?ZZaY/&\nbé9/19\nZ9Y\n=_/% 	=>	OK "Z+c+Z%26_%E6%97%A509%2F9%3D%3FY%25+ZY%E6%97%A5%0A%3Fa%26ac_%3Db9%C3%A9.%E6%97%A50a1a%3D%26%2F1.9%3B%2FZ%3FZZaY%2F%26%0Ab%C3%A99%2F19%0AZ9Y%0A%3D_%2F%25+"
        intersects	1.127.0.10/6	1:0:0:2:0:0:0:3/79	=>	OK false
        merge	0.128.255.127/7	10.10.10.192/8	128.0.0.192/7	=>	OK ["0.0.0.0/7","10.0.0.0/8","128.0.0.0/7"]
        qdec	%0	=>	ERR invalid "invalid URL escape \"%0\""
        intersects	::ffff:1.2.3.4/77	1.10.56.127/1	=>	OK false
        qdec	ff%é	=>	ERR invalid "invalid URL escape \"%é\""
        qobj	f41	=>	OK {"f41":[""]}
        hsha1	Zc-=90_Yb/c日a&_&/-ca X-a=Z/=-=Z  ?Y/日b.écc_&a9Y&Z Z&ZXa1+c%XZ_bX0-%?9.a\nZ	-日Z1\n%+9Yé\néé0bX\n.11日=\n日-./ c0c__;9&0_?b1日;%0-XY?/;a?ac-0b.;% -é日aa+bé%1Z/1=ca0?;\n.é	=>	OK "d7ab126b0602e70d0d0ae58f1acb3da1fbaddded"
        b64v	=g==	=>	OK false
        b64d	5p\nl	=>	ERR invalid "illegal base64 data at input byte 1"
        units	-357.940817498E5x	=>	ERR invalid "units.parse: unit x not recognized"
        merge	1.0.1.128/30	10.10.10.192/17	127.1.255.127/13	255.255.0.127/6	10.239.127.10/7	=>	OK ["1.0.1.128/30","10.0.0.0/7","127.0.0.0/13","252.0.0.0/6"]
        qobj	fé%41%41	=>	OK {"féAA":[""]}
        expand	::ffff:1.2.3.4/126	=>	OK ["1.2.3.4","1.2.3.5","1.2.3.6","1.2.3.7"]
        uuid	urn:uuid:ef0b38c2-6da8-20a4-a46a-084af3c659e7	=>	OK {"version":"#2","variant":"RFC4122","time":"#-7591045948702905400","nodeid":"08-4a-f3-c6-59-e7","clocksequence":"#9322","macvariables":"global:unicast","id":"#4010490050","domain":"Domain106"}
        globs	\\.*bac		=>	OK false
        intersects	:::fff:1.2.3.4/22	0:0:1:0:0:0:0:1/80	=>	ERR invalid "invalid CIDR address: :::fff:1.2.3.4/22"
        qdec	=é&%41	=>	OK "=é&A"
        uuid	475b239f-8325-1a4b-a393-ba33fcd1368c	=>	OK {"version":"#1","variant":"RFC4122","time":"#6623550955547585052","nodeid":"ba-33-fc-d1-36-8c","clocksequence":"#9107","macvariables":"local:unicast"}
        units	-386e-3Pi	=>	OK #-434597364041252.8640000000
        unitsb	9775TB	=>	OK #9775000000000000
        cidr_valid	1:2:3:4:5:6:7:8/40	=>	OK true
        units	952.8727284E5k	=>	OK #95287272840
        contains	18.1.127.255/32	10.247.1.0/29	=>	OK false
        expand	fe80::1/124	=>	OK ["fe80::","fe80::1","fe80::2","fe80::3","fe80::4","fe80::5","fe80::6","fe80::7","fe80::8","fe80::9","fe80::a","fe80::b","fe80::c","fe80::d","fe80::e","fe80::f"]
        uuid	urn:uuid:e3341a76-ae62-1f40-42eb-33c8066509c8	=>	OK {"version":"#1","variant":"Reserved","time":"#5453991713479415320","nodeid":"33-c8-06-65-09-c8","clocksequence":"#747","macvariables":"local:multicast"}
        contains	x27.128.10.192/15	10.128.127.255/13	=>	ERR invalid "invalid CIDR address: x27.128.10.192/15"
        cidr_valid	255.127.127.0/28	=>	OK true
        contains	116.128.10.128/31	255.10.1.110	=>	OK false
        uuid	urn:uuid:d2d769fe-a11c-4b60-5e42-d0d737471e72	=>	OK {"version":"#4","variant":"Reserved"}
        b64ud	YQ	=>	OK "a"
        expand	1.128.127.127/31	=>	OK ["1.128.127.126","1.128.127.127"]
        qenc	日a日b=	=>	OK "%E6%97%A5a%E6%97%A5b%3D"
        merge	255.128.127.8/30	=>	OK ["255.128.127.8/30"]
        units	-987E5M	=>	OK #-98700000000000
        b64d	K2JZIF8wJVgwK1otYg==	=>	OK "+bY _0%X0+Z-b"
        globs	.	a*:+\\.	=>	OK false
        b64ud	YSZaXzDDqWM5Li85JcOpMSVi	=>	OK "a&Z_0éc9./9%é1%b"
        hsha1	b=-é_/; &Y 0X=X\n.91=?%;1X0.9\nY&+0/9X?\n19cYa+cé.-+cXZZ%?日_Z9Y/&+1.9YX+=c	é +b1/&é;Z.ac日é+X&%-.Y ; &/é日XaZ_0c0Z/%.++_&cb_c-1?b日c1&9\né_aY_1?日1\n%&\n9Y0%1a/09? ?%日1	=>	OK "a4938cc92a25814fc1181d80e81c27b4984a5f52"
        contains	127.127.10.255/2	2001:db8:0:0:1::/74	=>	OK false
        b64d	JiUgWTs7OT87	=>	OK "&% Y;;9?;"
        qobj	&=&&&0	=>	OK {"":[""],"0":[""]}
        expand	1.128.10.10/32	=>	OK ["1.128.10.10"]
        b64v	CgogJWIlYzkm=Ts=	=>	OK false
        b64d	JT=	=>	ERR invalid "illegal base64 data at input byte 3"
        merge	10.127.255.0/31	10.127.255.118/21	=>	OK ["10.127.248.0/21"]
        units	-76465543555Mi	=>	OK #-80179933798727680
        globs	\\.[a-c]*[^a]*	[a-c].+b[ab]+	=>	OK false
        intersects	::/126	fe80::1/120	=>	OK false
        cidr_valid	0:0:1:0:0:0:0:1/107	=>	OK true
        globs	a		=>	OK false
        contains	255.167.192.1/2	10.127.52.1	=>	OK false
        qenc	a ;日%  &+X%XcaabX?+日Y+ab9a.b/ZYcXc0_;%éY;Y0;?/?Z&Z;+/\n%b日=0_?0=é%90 &-X_	=>	OK "a+%3B%E6%97%A5%25++%26%2BX%25XcaabX%3F%2B%E6%97%A5Y%2Bab9a.b%2FZYcXc0_%3B%25%C3%A9Y%3BY0%3B%3F%2F%3FZ%26Z%3B%2B%2F%0A%25b%E6%97%A5%3D0_%3F0%3D%C3%A9%2590+%26-X_"
        cidr_valid	255.0.10.10/21	=>	OK true
        intersects	255.10.128.127/9	2001:db8:0:::1::/40	=>	ERR invalid "invalid CIDR address: 2001:db8:0:::1::/40"
        contains	128.29.10.1/5	127.127.255.127/10	=>	OK false
        merge	0.127.127.162/23	0.127.127.170/32	=>	OK ["0.127.126.0/23"]
        uuid	urn:uuid:a2770ae2-babd-4227-f40a-3b502d9e9ce6	=>	OK {"version":"#4","variant":"Future"}
        sha256	a1=0=;%bZ\n日90%+.%0=cc/.Z+-?X._c+?0?éb11/?010;%0Zc-%=X\n0&bY/日éa9-/=9	=>	OK "579e823ab868e81d0e885b89802284e8cecf354f27a18ccc7cf1e26ec8cd3b71"
        intersects	::ffff:1.2.3.4/122	192.192.192.128/29	=>	OK false
        intersects	129.10.127.128/29	f6740:1:fadd:0:0:1:ffff/24	=>	ERR invalid "invalid CIDR address: f6740:1:fadd:0:0:1:ffff/24"
        intersects	192.1.255.1/21	::ffff:1.2.3.4/19	=>	OK false
        globs	b[a-c]+\\.		=>	OK false
        units	+682.2Pi	=>	OK #768088916448038092.8000000000
        globs	c*[ab]\\.ab+		=>	OK false
        intersects	127.128.255.1/12	192.10.128.10/31	=>	OK false
        b64ud	X2NaCjBj5pelLS4gKzA_LysxC-k=	=>	OK "_cZ\n0c日-. +0?/+1\u000b�"
        merge	128.128.0.128/5	127.179.127.127/28	=>	OK ["127.179.127.112/28","128.0.0.0/5"]
        qenc	béXX_bé=;é1-.Zb/Xa=1bcX??a日-Z&&-=19/.ca\nc	=>	OK "b%C3%A9XX_b%C3%A9%3D%3B%C3%A91-.Zb%2FXa%3D1bcX%3F%3Fa%E6%97%A5-Z%26%26-%3D19%2F.ca%0Ac"
        intersects	0.128.0.96//4	1.192.1.118	=>	ERR invalid "invalid CIDR address: 0.128.0.96//4"
        sha256	&c-_\nZ.	=>	OK "c6b23bdb0d00319055581558a9b55c90b74d160f381ca2bdff2f980869a0f705"
        b64ud	IFgxLSDDqcOpY19jIGLDqWFZw6lj5pel	=>	OK " X1- ééc_c béaYéc日"
        b64ud	5pelLSZiICYlOTstPy8g5pelX8OpPw==	=>	OK "日-&b &%9;-?/ 日_é?"
        intersects	::ffff:1.2.3.4/20	ff::/4	=>	OK true
        units	+601180Ei	=>	OK #693113350139544265031680
        b64ud	w6liJmJ=	=>	OK "éb&b"
        cidr_valid	128.1.1.0/2	=>	OK true
        hexd	%41a0f	=>	ERR invalid "encoding/hex: invalid byte: U+0025 '%'"
        contains	1:ffff:9fae:bb13:1:1:1:1/125	2001:db8::	=>	OK false
        hex	 1?-é/c日019\n日\na=/?;9-/-0/&aZ-=\n_0é Z+&.;日	=>	OK "20313f2dc3a92f63e697a53031390ae697a50a613d2f3f3b392d2f2d302f26615a2d3d0a5f30c3a9205a2b262e3be697a5"
        b64un	 0&19;Y/Xaé+0-X_X\n+日a&-_Y&日-%/0a\n_/ é;=9cXb-ZYb9日%X日0 1.0日日\n-日X.%日/\n;_%0&_c日9Z0\nb	=>	OK "IDAmMTk7WS9YYcOpKzAtWF9YCivml6VhJi1fWSbml6UtJS8wYQpfLyDDqTs9OWNYYi1aWWI55pelJVjml6UwIDEuMOaXpeaXpQot5pelWC4l5pelLwo7XyUwJl9j5pelOVowCmI"
        intersects	0.110.128/9	0.127.128.1/20	=>	ERR invalid "invalid CIDR address: 0.110.128/9"
        qobj	é0+%=	=>	ERR invalid "invalid URL escape \"%\""
        intersects	255.127.10.15/13	ff::/41	=>	OK false
        uuid	589a3b05-864d-115f-8976-94d70a7b008a	=>	OK {"version":"#1","variant":"RFC4122","time":"#-2324754441745330700","nodeid":"94-d7-0a-7b-00-8a","clocksequence":"#2422","macvariables":"global:unicast"}
        merge	0.192.10.108/26	0.192.10.119/32	0.192.10.243/23	0.192.10.214/20	=>	OK ["0.192.0.0/20"]
        uuid	urn:uuid:318cca8b-ce3c-2387-5b6c-17414ef3e17b	=>	OK {"version":"#2","variant":"Reserved","time":"#-5226170684270305716","nodeid":"17-41-4e-f3-e1-7b","clocksequence":"#7020","macvariables":"local:multicast","id":"#831310475","domain":"Domain108"}
        b64	.&&日Z+_& .bYYZ_é_Y_a\nc99&=日0?-éY _9%1\nb=b日=日%Z9-=YcZ0_+9ac= é日YZ% é/Yé=?Z0é日	=>	OK "LiYm5pelWitfJiAuYllZWl/DqV9ZX2EKYzk5Jj3ml6UwPy3DqVkgXzklMQpiPWLml6U95pelJVo5LT1ZY1owXys5YWM9IMOp5pelWVolIMOpL1nDqT0/WjDDqeaXpQ=="
        units	925.6712894710033e-11Gi	=>	OK #9.9393197878
        units	-345.81251157x	=>	ERR invalid "units.parse: unit x not recognized"
        cidr_valid	154.217.255.127/27	=>	OK true
        b64ud	OS4rL2NiYcO=OTlfX-aXpQ	=>	ERR invalid "illegal base64 data at input byte 12"
        b64ud	LzsuY-aXpS0gLjA5Lis=	=>	OK "/;.c日- .09.+"
        hexd	41=a00&41	=>	ERR invalid "encoding/hex: invalid byte: U+003D '='"
        intersects	12..0.10.128/13	127.0.1.1/29	=>	ERR invalid "invalid CIDR address: 12..0.10.128/13"
        units	-15916276227543e7mi	=>	OK #-166894252615721287680000000
        unitsb	-17326978E	=>	OK #-17326977999999999999475712
        intersects	10.128.192.0/1	255.209.255.127/26	=>	OK false
        b64v	Pw=	=>	OK false
        globs	a*c+b[ab]*	.[ab]a[a-c]*	=>	OK true
        intersects	128.127.1.10/8	2001:db8::/117	=>	OK false
        units	725.208366e14M	=>	OK #72520836600000000000000
        hsha256	X9&é /cY.-;	ZZZ?9+/cX\n&+ ;éX=b?&&/c;Zé-;?9+;ba ? 0 X=-_/\n;09 _日a/Zb-9+aX.9Xé%-0\n+&0 =;YY.X日X日Z-+1Yc_--\n0日Z%?//%.é+&\n1/&X\n_Zaa&-?/;é_b% c	=>	OK "1fe6c19e594243042cece5fe09fb4fe27b702696d3e1b856e0474945b923d2e5"
        intersects	143.127.127.127/9	::1/57	=>	OK false
        units	+154.48Gi	=>	OK #165871636971.5200000000
        intersects	0.127.128.10/10	127x1.127.0/21	=>	ERR invalid "invalid CIDR address: 127x1.127.0/21"
        merge	192.192.192.98/29	192.192.192.53/30	192.192.192.11/24	192.192.192.203/32	=>	OK ["192.192.192.0/24"]
        globs	baab*c+	c+.[^a]+[a-c]c+	=>	OK false
        merge	127.192.1.192/22	=>	OK ["127.192.0.0/22"]
        b64v	Jg=-	=>	OK false
        b64v	WFg=	=>	OK true
        expand	0:1:0:713c:ffff:0:0:b6e1/125	=>	OK ["0:1:0:713c:ffff::b6e0","0:1:0:713c:ffff::b6e1","0:1:0:713c:ffff::b6e2","0:1:0:713c:ffff::b6e3","0:1:0:713c:ffff::b6e4","0:1:0:713c:ffff::b6e5","0:1:0:713c:ffff::b6e6","0:1:0:713c:ffff::b6e7"]
        unitsb	+195.08B	=>	ERR invalid "units.parse_bytes: byte unit b not recognized"
        cidr_valid	0:1:ffff:1:0:ffff:d92f:0/109	=>	OK true
        intersects	79.83.10.1/23	ffff:1:0:0:1:41b2:1:ffff/52	=>	OK false
        globs	\\.	[a-c]c.	=>	OK false
        merge	255.128.128.46/31	255.128.128.133/22	255.128.128.197/26	255.128.128.98/25	=>	OK ["255.128.128.0/22"]
        cidr_valid	fe80::1/64	=>	OK true
        unitsb	+860e-5b	=>	ERR invalid "units.parse_bytes: byte unit b not recognized"
        b64d	YQ==	=>	OK "a"
        b64un	日/_&0&é日.=é00Z/=/=aa\n%0X-YZ-1Z&0日	=>	OK "5pelL18mMCbDqeaXpS49w6kwMFovPS89YWEKJTBYLVlaLTFaJjDml6U"
        b64v	PT=lMVg=	=>	OK false
        merge	128.255.127.112/29	128.255.127.126/30	=>	OK ["128.255.127.112/29","128.255.127.124/30"]
        b64v	MCAgLyA5Ky8=	=>	OK true
        hexd	+é=%%41é	=>	ERR invalid "encoding/hex: invalid byte: U+002B '+'"
        intersects	92.1.255.202/13	0:0:1:0:0:0:0:1/43	=>	OK false
        intersects	9.127.255.127/25	255.19%.10.128/30	=>	ERR invalid "invalid CIDR address: 255.19%.10.128/30"
        cidr_valid	0.10.192.252/24	=>	OK true
        uuid	urn:uuid:2cf82d5b-8c50-1508-ff6b-8f7f61f070fb	=>	OK {"version":"#1","variant":"Future","time":"#5603367724596377484","nodeid":"8f-7f-61-f0-70-fb","clocksequence":"#16235","macvariables":"local:multicast"}
        unitsb	+271.506e7B	=>	ERR invalid "units.parse_bytes: byte unit b not recognized"
        contains	128.0.128.127/14	10.1/128.0	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: 10.1/128.0"
        merge	84.1.0.10/12	0.192.128.127/4	=>	OK ["0.0.0.0/4","84.0.0.0/12"]
        b64d	Oz8=	=>	OK ";?"
        hexd		=>	OK ""
        unitsb	+37980724369954E5kb	=>	OK #3798072436995400000000
        contains	1:2:3:4:5:6:7:8/60	255.192.255.127	=>	OK false
        qobj	%4141=a+&f	=>	OK {"A41":["a "],"f":[""]}
        cidr_valid	57.127.10.255/16	=>	OK true
        qdec	&41%&0	=>	ERR invalid "invalid URL escape \"%&0\""
        uuid	urn:uuid:48de6126-f4b7-27d7-60f8-f14792309fb0	=>	OK {"version":"#2","variant":"Reserved","time":"#7406153682282148568","nodeid":"f1-47-92-30-9f-b0","clocksequence":"#8440","macvariables":"global:multicast","id":"#1222533414","domain":"Domain248"}
        cidr_valid	0.1.255.255/3	=>	OK true
        expand	10.53.255.128/32	=>	OK ["10.53.255.128"]
        md5	-?%é..&0é._1cb/=ba1?caa/\n\n&9;?10..日\n/.écX日X%Y_	=>	OK "555ae52dda5b34ca3104876cfa6f4758"
        contains	128.0.255.0/0	ff::	=>	OK false
        cidr_valid	1.127.1.127/24	=>	OK true
        b64d	LiBZLj09JmJYKz0wIDsKIDEmLQ==	=>	OK ". Y.==&bX+=0 ;\n 1&-"
        expand	0.255.255.165/31	=>	OK ["0.255.255.164","0.255.255.165"]
        b64v	WFg\nO1lh	=>	OK false
        b64v	OTE5KyVfLgot5pel	=>	OK true
        intersects	2001:db8:0:0:1::/46	127.192.255.10/2	=>	OK false
        unitsb	-2960e	=>	OK #-2960000000000000000000
        merge	192.255.0.219/26	192.255.0.52/29	=>	OK ["192.255.0.192/26","192.255.0.48/29"]
        uuid	urn:uuid:eebce849-afa0-4f1f-4b82-20f099c6f341	=>	OK {"version":"#4","variant":"Reserved"}
        b64v	LyA7O2ErJjkt	=>	OK true
        globs	ba+		=>	OK false
        uuid	40422c53-552f-29f4-889e-7f71948b1d3c	=>	OK {"version":"#2","variant":"RFC4122","time":"#4169665187736735852","nodeid":"7f-71-94-8b-1d-3c","clocksequence":"#2206","macvariables":"local:multicast","id":"#1078078547","domain":"Domain158"}
        merge	127.128.127.192/0	1:0:0:2:0:0:0:3/65	=>	OK ["0.0.0.0/0","1:0:0:2::/65"]
        cidr_valid	0:0:1:0:0:0:0:1/105	=>	OK true
        uuid	47070f99-21a2-292f-bbb0-7a9ab4d55d08	=>	OK {"version":"#2","variant":"RFC4122","time":"#-1381059910447065148","nodeid":"7a-9a-b4-d5-5d-08","clocksequence":"#15280","macvariables":"local:unicast","id":"#1191645081","domain":"Domain176"}
        uuid	urn:uuid:edeae937-6435-1e76-f72c-50ca93611172	=>	OK {"version":"#1","variant":"Future","time":"#-239958511498946180","nodeid":"50-ca-93-61-11-72","clocksequence":"#14124","macvariables":"global:unicast"}
        contains	255.0.110.1/16	1.127.97.10/5	=>	OK false
        b64v	MFovO18lIDAKCjs=	=>	OK true
        contains	127.1.253.192x12	192.255.1.175	=>	ERR invalid "invalid CIDR address: 127.1.253.192x12"
        uuid	0320deb3-88a8-1053-0da1-632e2f77be3e	=>	OK {"version":"#1","variant":"Reserved","time":"#8578719099244903916","nodeid":"63-2e-2f-77-be-3e","clocksequence":"#3489","macvariables":"local:multicast"}
        unitsb	+31615480EiB	=>	OK #36450166770467678432788480
        b64u	=_	=>	OK "PV8="
        contains	10.0.0.10/9	127.192.128.198	=>	OK false
        expand	::/125	=>	OK ["::","::1","::2","::3","::4","::5","::6","::7"]
        intersects	127.192.127.255/30	10.255.1.255/8	=>	OK false
        hsha512	-;c0_X -_日 91日&XaZ1cZ+a+Za;-X\n1\né%==/;日.%/ Yé-=_Y\nZ;.+?1é_.0+%;\n\nY_ +=;X+a0-99éc9/é0_Y%_9&?1?%X0	 1&日éé	=>	OK "28f8d199cff3355aceb86e8a114347155dcc069f468cc42d63624b79bcf3de1696e12ddbe74130beb0e29172376057877299659c399a8a8438a53ff329b9ed69"
        b64d	L\nJZ	=>	ERR invalid "illegal base64 data at input byte 1"
        expand	::ffff:1.2.3.4/125	=>	OK ["1.2.3.0","1.2.3.1","1.2.3.2","1.2.3.3","1.2.3.4","1.2.3.5","1.2.3.6","1.2.3.7"]
        b64u	_b日_éZ ba_1YX\n日Y=b_\na/c--1é9%+ =YY9+?=+ ?0b\n%b_/.+Z_é%日%X;.Xbé%%_- Z b%1b%Y\n 	=>	OK "X2Lml6Vfw6laIGJhXzFZWArml6VZPWJfCmEvYy0tMcOpOSUrID1ZWTkrPz0rID8wYgolYl8vLitaX8OpJeaXpSVYOy5YYsOpJSVfLSBaIGIlMWIlWQog"
        b64d	Yl8\n	=>	ERR invalid "illegal base64 data at input byte 1"
        cidr_valid	10.1.127.127/29	=>	OK true
        contains	0:0:1:0:0:0:0:1/52	0.127.0.192	=>	OK false
        unitsb	169.8554372759g	=>	OK #169855437275
        hexd	4141+%41a&	=>	ERR invalid "encoding/hex: invalid byte: U+002B '+'"
        globs		c	=>	OK false
        contains	1.108.212.128/23	0.123.192.1/11	=>	OK false
        uuid	urn:uuid:7dd902b3-ee19-191d-e6b4-766f259161c5	=>	OK {"version":"#1","variant":"Future","time":"#-1865233629235900948","nodeid":"76-6f-25-91-61-c5","clocksequence":"#9908","macvariables":"local:unicast"}
        b64ud	IF8=	=>	OK " _"
        b64v	LSAuJj0tYeaXpV9YPy/DqcOpJSsv	=>	OK true
        contains	0.128.255.255/8	128..28.125.255	=>	ERR invalid "not a valid textual representation of an IP address or CIDR: 128..28.125.255"
        b64ud	IDBYJsOpJWEtMAo=	=>	OK " 0X&é%a-0\n"
        merge	10.128.128.151/30	10.128.128.242/21	10.128.128.140/28	10.128.128.6/20	=>	OK ["10.128.128.0/20"]
        globs	.[^a]+	b*.b.	=>	OK false
        uuid	urn:uuid:3c43b80e-37c2-1e9e-704b-bb8f418cf896	=>	OK {"version":"#1","variant":"Reserved","time":"#881053854005126520","nodeid":"bb-8f-41-8c-f8-96","clocksequence":"#12363","macvariables":"local:multicast"}
        """#
}
