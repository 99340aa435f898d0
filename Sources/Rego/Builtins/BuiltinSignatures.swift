/// The built-in functions of the language: name, flags, signature.
///
/// Flags: `d` deprecated (an error in v1), `n` may answer differently each time, `i` written between its operands,
/// `o` declared only (it can be replaced by `with`; calling it is an error), `r` relation (several results),
/// `t` only for conformance tests. Names and signatures are those of OPA's capabilities.
enum BuiltinSignatures {
    static let table = """
        abs||(number) -> number
        all|d|(array[any]|set[any]) -> boolean
        and|i|(set[any], set[any]) -> set[any]
        any|d|(array[any]|set[any]) -> boolean
        array.concat||(array[any], array[any]) -> array[any]
        array.flatten||(array[any]) -> array[any]
        array.reverse||(array[any]) -> array[any]
        array.slice|c|(array[any], number, number) -> array[any]
        assign|i|(any, any) -> boolean
        base64.decode||(string) -> string
        base64.encode||(string) -> string
        base64.is_valid||(string) -> boolean
        base64url.decode||(string) -> string
        base64url.encode||(string) -> string
        base64url.encode_no_pad||(string) -> string
        bits.and||(number, number) -> number
        bits.lsh||(number, number) -> number
        bits.negate||(number) -> number
        bits.or||(number, number) -> number
        bits.rsh||(number, number) -> number
        bits.xor||(number, number) -> number
        cast_array|d|(any) -> array[any]
        cast_boolean|d|(any) -> boolean
        cast_null|d|(any) -> null
        cast_object|d|(any) -> object[any:any]
        cast_set|d|(any) -> set[any]
        cast_string|d|(any) -> string
        ceil||(number) -> number
        concat||(string, array[string]|set[string]) -> string
        contains||(string, string) -> boolean
        count|c|(string|array[any]|object[any:any]|set[any]) -> number
        crypto.hmac.equal||(string, string) -> boolean
        crypto.hmac.md5||(string, string) -> string
        crypto.hmac.sha1||(string, string) -> string
        crypto.hmac.sha256||(string, string) -> string
        crypto.hmac.sha512||(string, string) -> string
        crypto.md5||(string) -> string
        crypto.parse_private_keys|o|(string) -> array[object[string:any]]
        crypto.sha1||(string) -> string
        crypto.sha256||(string) -> string
        crypto.x509.parse_and_verify_certificates|o|(string) -> array[boolean,array[object[string:any]]]
        crypto.x509.parse_and_verify_certificates_with_options|o|(string, object[string:any]) -> array[boolean,array[object[string:any]]]
        crypto.x509.parse_certificate_request|o|(string) -> object[string:any]
        crypto.x509.parse_certificates|o|(string) -> array[object[string:any]]
        crypto.x509.parse_keypair|o|(string, string) -> object[string:any]
        crypto.x509.parse_rsa_private_key|o|(string) -> object[string:any]
        div|i|(number, number) -> number
        endswith|c|(string, string) -> boolean
        eq|i|(any, any) -> boolean
        equal|i|(any, any) -> boolean
        floor||(number) -> number
        format_int||(number, number) -> string
        glob.match||(string, null|array[string], string) -> boolean
        glob.quote_meta||(string) -> string
        graph.reachable||(object[any:array[any]|set[any]], array[any]|set[any]) -> set[any]
        graph.reachable_paths||(object[any:array[any]|set[any]], array[any]|set[any]) -> set[array[any]]
        graphql.is_valid|o|(string|object[any:any], string|object[any:any]) -> boolean
        graphql.parse|o|(string|object[any:any], string|object[any:any]) -> array[object[any:any],object[any:any]]
        graphql.parse_and_verify|o|(string|object[any:any], string|object[any:any]) -> array[boolean,object[any:any],object[any:any]]
        graphql.parse_query|o|(string) -> object[any:any]
        graphql.parse_schema|o|(string) -> object[any:any]
        graphql.schema_is_valid|o|(string|object[any:any]) -> boolean
        gt|i|(any, any) -> boolean
        gte|i|(any, any) -> boolean
        hex.decode||(string) -> string
        hex.encode||(string) -> string
        http.send|no|(object[string:any]) -> object[any:any]
        indexof||(string, string) -> number
        indexof_n||(string, string) -> array[number]
        internal.member_2|ci|(any, any) -> boolean
        internal.member_3|ci|(any, any, any) -> boolean
        internal.print||(array[set[any]]) -> any
        internal.template_string||(array[any]) -> string
        internal.test_case||(array[any]) -> any
        intersection||(set[set[any]]) -> set[any]
        io.jwt.decode|o|(string) -> array[object[any:any],object[any:any],string]
        io.jwt.decode_verify|no|(string, object[string:any]) -> array[boolean,object[any:any],object[any:any]]
        io.jwt.encode_sign|no|(object[string:any], object[string:any], object[string:any]) -> string
        io.jwt.encode_sign_raw|no|(string, string, string) -> string
        io.jwt.verify_eddsa|o|(string, string) -> boolean
        io.jwt.verify_es256|o|(string, string) -> boolean
        io.jwt.verify_es384|o|(string, string) -> boolean
        io.jwt.verify_es512|o|(string, string) -> boolean
        io.jwt.verify_hs256|o|(string, string) -> boolean
        io.jwt.verify_hs384|o|(string, string) -> boolean
        io.jwt.verify_hs512|o|(string, string) -> boolean
        io.jwt.verify_ps256|o|(string, string) -> boolean
        io.jwt.verify_ps384|o|(string, string) -> boolean
        io.jwt.verify_ps512|o|(string, string) -> boolean
        io.jwt.verify_rs256|o|(string, string) -> boolean
        io.jwt.verify_rs384|o|(string, string) -> boolean
        io.jwt.verify_rs512|o|(string, string) -> boolean
        is_array|c|(any) -> boolean
        is_boolean|c|(any) -> boolean
        is_null|c|(any) -> boolean
        is_number|c|(any) -> boolean
        is_object|c|(any) -> boolean
        is_set|c|(any) -> boolean
        is_string|c|(any) -> boolean
        json.filter||(object[any:any], array[string|array[any]]|set[string|array[any]]) -> object[any:any]
        json.is_valid||(string) -> boolean
        json.marshal||(any) -> string
        json.marshal_with_options||(any, object[string:any]) -> string
        json.match_schema|o|(string|object[any:any], string|object[any:any]) -> array[boolean,array[object[]]]
        json.patch||(any, array[object[any:any]]) -> any
        json.remove||(object[any:any], array[string|array[any]]|set[string|array[any]]) -> object[any:any]
        json.unmarshal||(string) -> any
        json.verify_schema|o|(string|object[any:any]) -> array[boolean,null|string]
        lower||(string) -> string
        lt|i|(any, any) -> boolean
        lte|i|(any, any) -> boolean
        max||(array[any]|set[any]) -> any
        min||(array[any]|set[any]) -> any
        minus|i|(number|set[any], number|set[any]) -> number|set[any]
        mul|i|(number, number) -> number
        neq|i|(any, any) -> boolean
        net.cidr_contains||(string, string) -> boolean
        net.cidr_contains_matches||(string|array[string|array[any]]|object[string:string|array[any]]|set[string|array[any]], string|array[string|array[any]]|object[string:string|array[any]]|set[string|array[any]]) -> set[array[any,any]]
        net.cidr_expand||(string) -> set[string]
        net.cidr_intersects||(string, string) -> boolean
        net.cidr_is_valid||(string) -> boolean
        net.cidr_merge||(array[string]|set[string]) -> set[string]
        net.cidr_overlap|d|(string, string) -> boolean
        net.lookup_ip_addr|no|(string) -> set[string]
        numbers.range||(number, number) -> array[number]
        numbers.range_step||(number, number, number) -> array[number]
        object.filter||(object[any:any], array[any]|object[any:any]|set[any]) -> object[any:any]
        object.get|c|(object[any:any], any, any) -> any
        object.keys|c|(object[any:any]) -> set[any]
        object.remove||(object[any:any], array[any]|object[any:any]|set[any]) -> object[any:any]
        object.subset||(array[any]|object[any:any]|set[any], array[any]|object[any:any]|set[any]) -> boolean
        object.union||(object[any:any], object[any:any]) -> object[any:any]
        object.union_n||(array[object[any:any]]) -> object[any:any]
        opa.runtime|no|() -> object[string:any]
        or|i|(set[any], set[any]) -> set[any]
        plus|i|(number, number) -> number
        print||() -> any
        product||(array[number]|set[number]) -> number
        providers.aws.sign_req|o|(object[string:any], object[string:any], number) -> object[any:any]
        rand.intn|n|(string, number) -> number
        re_match|d|(string, string) -> boolean
        regex.find_all_string_submatch_n||(string, string, number) -> array[array[string]]
        regex.find_n||(string, string, number) -> array[string]
        regex.globs_match||(string, string) -> boolean
        regex.is_valid||(string) -> boolean
        regex.match||(string, string) -> boolean
        regex.replace||(string, string, string) -> string
        regex.split||(string, string) -> array[string]
        regex.template_match||(string, string, string, string) -> boolean
        rego.metadata.chain||() -> array[any]
        rego.metadata.rule||() -> any
        rego.parse_module|o|(string, string) -> object[string:any]
        rem|i|(number, number) -> number
        replace||(string, string, string) -> string
        round||(number) -> number
        semver.compare||(string, string) -> number
        semver.is_valid||(any) -> boolean
        set_diff|d|(set[any], set[any]) -> set[any]
        sort||(array[any]|set[any]) -> array[any]
        split||(string, string) -> array[string]
        sprintf||(string, array[any]) -> string
        startswith|c|(string, string) -> boolean
        strings.any_prefix_match||(string|array[string]|set[string], string|array[string]|set[string]) -> boolean
        strings.any_suffix_match||(string|array[string]|set[string], string|array[string]|set[string]) -> boolean
        strings.count||(string, string) -> number
        strings.render_template|o|(string, object[string:any]) -> string
        strings.replace_n||(object[string:string], string) -> string
        strings.reverse||(string) -> string
        strings.split_n||(string, string, number) -> array[string]
        substring||(string, number, number) -> string
        sum||(array[number]|set[number]) -> number
        time.add_date||(number, number, number, number) -> number
        time.clock||(number|array[number,string]) -> array[number,number,number]
        time.date||(number|array[number,string]) -> array[number,number,number]
        time.diff||(number|array[number,string], number|array[number,string]) -> array[number,number,number,number,number,number]
        time.format||(number|array[number,string]|array[number,string,string]) -> string
        time.now_ns|n|() -> number
        time.parse_duration_ns||(string) -> number
        time.parse_ns||(string, string) -> number
        time.parse_rfc3339_ns||(string) -> number
        time.weekday||(number|array[number,string]) -> string
        to_number||(null|boolean|number|string) -> number
        trace||(string) -> boolean
        trim||(string, string) -> string
        trim_left||(string, string) -> string
        trim_prefix|c|(string, string) -> string
        trim_right||(string, string) -> string
        trim_space||(string) -> string
        trim_suffix|c|(string, string) -> string
        type_name|c|(any) -> string
        union||(set[set[any]]) -> set[any]
        units.parse||(string) -> number
        units.parse_bytes||(string) -> number
        upper||(string) -> string
        uri.is_valid||(string) -> boolean
        uri.parse||(string) -> object[string:string]
        urlquery.decode||(string) -> string
        urlquery.decode_object||(string) -> object[string:array[string]]
        urlquery.encode||(string) -> string
        urlquery.encode_object||(object[string:string|array[string]|set[string]]) -> string
        uuid.parse||(string) -> object[string:any]
        uuid.rfc4122|n|(string) -> string
        walk|r|(any) -> array[array[any],any]
        yaml.is_valid||(string) -> boolean
        yaml.marshal||(any) -> string
        yaml.unmarshal||(string) -> any
        test.sleep|t|(string) -> null
        """
}
