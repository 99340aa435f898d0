// Made by scripts/rego-unicode-tables.py from the Unicode character database 15.0. Do not edit.
// swift-format-ignore-file

/// Code point tables in the text form that `UnicodeTables` reads.
enum UnicodeData {
    static let categories: [(name: String, ranges: StaticString)] = [
        ("Cc", """
        0-1W6W2
        """),
        ("Cf", """
        wA0cr2Ak10YC0a30YO2Y50uo70w_38s18a384IWfl30qF4ai80W10csHUYca26WjAEketm10-1-5
        """),
        ("Co", """
        WWm3-lCYmZu1w__36w__3
        """),
        ("Cs", """
        WWi3-_3
        """),
        ("Ll", """
        Y6o1s30q2k14E40404040404040404040404040404040404040404040404040404042404040404040404240404040404040404\
        0404040404040404040404040404060404460406082A06084606040406042406080406264E0606040404040404040424040404\
        04040404042604080404040404040404040404040404040404040404040404040404040404C606240A04040404e44q1aC04080\
        84c10u1a24284404040404040404040404048406062e3-24040404040404040404040404040404040K04040404040404040404\
        040404040404040404040404040404040604040404040424040404040404040404040404040404040404040404040404040404\
        04040404040404040404040404040404040404040Y3m2mq5q264ol1Ace4Gm7s2W4O4Y2k6040404040404040404040404040404\
        040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404\
        0404040404040404G4040404040404040404040404040404040404040404040404040404040404040404040404040404040404\
        040404040404GIAMEIEIAMEIEIQ6EIEIEI842E08442I662IEM442cH08280u10A0A062I6A0i30ug5-24082404040A0424AC0404\
        04040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404042G040A0Q\
        g240C0eny1040404040404040404040404040404040404040404040e1040404040404040404040404040m80404040404044404\
        040404040404040404040404040404040404040404040404040404040404E40406040404040A04060444040404040404040404\
        0C0C040404040404040A040E040404040w1080ip1q2CGG-4Yqd1CQ8qY2o1yi2k2o8c2u9K4S4C42em3a3yy5-1Yug1-1svo1o1s1\
        C4Y1s1o1s16404C4Ks1o1s1o1s1o1s1o1s1o1s1o1s1o1s1o1s1s1w1m14As1m14As1m14As1m14As1m14A40gp3I4c1EAm_4Y2
        """),
        ("Lm", """
        Wh1Y1AMU8G040i80C0-T0kE0gA2yG2A0W20K080YA0mA0gj20W80iZ10sj30u60ec10YTA-Ay3S0c2e2ah10S0Y1OW-52aF0WC0iT0\
        u28C0a62y54knt10ck2A-G0c70w12q7GY50m10q6482iT0k10q80w60i12m66K0kWg10y22Y-3A4o24Giun16Wb2OY4240wWW164C4\
        2aZOw3qCCyw10Wc20
        """),
        ("Lo", """
        qA0W10YG0A6YD0up1q1A6y2-14Ie224a640o12M460Y104w1y1m5O0o1W2i1g1s2m1GKCk14Aa1m2u3g380c10GIY1SAE626g14C40\
        8680Y10S244U2M0IAA26g14C424242W2640e14Y1G444g14C424880c10W12m10OE626g14C424880-1244W10a104A84468240428\
        2848Mk10g3E444i14U80s146062-10AE444i14I4880W2242W12a1G444m260Y10C4I4o1ACY18k14G406Cs3-242QAu3240484k14\
        04I42K068m16Y20W4E4c2u18e7q2g10Y1AA68082G4AOQ0a7mK466C40466m2466W2466C40466S4m3466a4i2Ua7sc16W14o1Cq4E\
        EGY1Sa1UY1UO44W1c3o20e4a24e3G86Y240Cg4My1a3w168Os2Ao1k3i1Ke3YBy2a1Ek3w1S2Ms2s1c2q24Mw1a764A4280sZ26m_5\
        k3o1i1KC4C4C4C4C4C4C4CmY10i30Ag5I04o5A0Cq24w5a1-1Y3UYW1-xCY4eXf14id2e4k2IsGAUM2c40a3g4qA0m608C44464i1y\
        1c3UY3-3A8042Os1Mi1q1u1Gy2y286GM84m2m144Eg1U4A808Y34082686040o128KG0UA6A6AKC4Ca9a2y1cwLQi1AW3gmGwM6o6e\
        404I4O484042424s6a2qMc1-36g3o2Mg784i8q6I4u26y18A6A6A64e2M4o14a1424S6Qc2q7iOu18W3W3-1Sc14EEg2Mw16c2AEY8\
        w4c6k2Ic3w9iJKg1MEo9A604s242806i1Mi1Ky1a4a142Mg1Mo1k4k3E2Y40W16444u1s2u18u1e2E4s1u1g3Mg1Ma1SY1-6m4mBc2\
        wLo2E2-4u1M0Ig1s2Y1-2e1u1i1Qe3q3260Su2Y2m1s1c2y1060Ia280Q-2U6i1040e2Y14m1e12W4C40464S4IGy2k2E626g14C42\
        4880c10Q8-9e3c16g14-1-2g1240oBy2q26g2-2g10u3q2S0m4q1i2CqBs2eDE606E424k1W1040-5E6i2Y1040w10Mk2G0i10Ow2e\
        10c1m4mGG4e2a10a3w1Y7C424g2i10q1A424-1U0mKa1W104O4Y2w70W5ov1kEcCwa5W6W1-Y2a1Aqx7ia1qxGmZ1Gy1a1y4a1w1c1\
        -2e3e1Ca1Yt1q4C0WBk_BIgj2s2GmlHaIW10y1460U6IsOgm4q6CO8GGIYdH0iVu2a20aKw1c1s2gUq1il1C46424S4eCup264q142\
        40604I464040E0A0404044424060404040404240664C4646404I4W1C4484W1gq8-jp2Y2oZ8EwD6YeBUWpEWY6wX1c-2qq9C-b8
        """),
        ("Lt", """
        gS06060k20ivEEIEIEQ0W10W30
        """),
        ("Lu", """
        Y4o1i6i14Ca2040404040404040404040404040404040404040404040404040404060404040404040406040404040404040404\
        04040404040404040404040404042404082404244664244824240404240604244404280G060606040404040404040604040404\
        0404040406060444040404040404040404040404040404040404040404040404040404040G242604640404040aI04080I0E044\
        40424W14Ge2064804040404040404040404040C060426a3Y3040404040404040404040404040404040K0404040404040404040\
        404040404040404040404040404040404042404040404040604040404040404040404040404040404040404040404040404040\
        4040404040404040404040404040404040404040406g2qq5g240C0cj1g5sf4q264YK0404040404040404040404040404040404\
        040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040404\
        0404040404040K0404040404040404040404040404040404040404040404040404040404040404040404040404040404040404\
        040404040KEIAMEIEIAO0404040IEo46Q6Q6Q8O6kG0A084646088E040404666M2C0y30wd5-2Y3044604040464060I440404040\
        404040404040404040404040404040404040404040404040404040404040404040404040404040404040404040I040A0yqy104\
        0404040404040404040404040404040404040404040e1040404040404040404040404040m80404040404040804040404040404\
        04040404040404040404040404040404040404040404040M0404240404040A0406040804040404040404040404848404040404\
        040404640E0C040w10uoh1o1ii2k2o8c2w9K4S4C42sk3a3y-5-1Yug1-1Ywo1o1s1o1s1o1s10426062664Es1o1s12466E4Cu124\
        648408Cu1o1s1o1s1o1s1o1s1o1s1o1-1m1a2m1a2m1a2m1a2m1a20ip8Y2
        """),
        ("Mc", """
        cm40m3064I642c32s34E262M0u20s34c40s34I042i32s3040E262M0k62428444M0q24y36y32s30486242K2w10U2s34C444M0s2\
        2u44EEc12sK2W40uA2A0E062q12M46Ci126A60M4od30-10a80GE42sL664A24AYE2s3040K042IAa90Y30C04842y30-10A260w30\
        644082Y3EI2uA0i10kp92e_x1260o52c3U-82W30Y32A264-6262o10y2040y6062C0yE2424240eXo1040W80y24A2e70o12u30Y3\
        4K2S0y548240sA4W22s32466264K0M2aD4I280s64E04660yE4E660a74I240y6042E0q62A0iG4K0mFA42A06040-84I6A0g50y12\
        -30mP0U0s60G060iD8A240-L2Q0Y32I240WXe1i3o62etm12EA
        """),
        ("Me", """
        me22gZB0-X3644uuY24
        """),
        ("Mn", """
        Wm1-6eH8qGu240424240o4KY3e1Y10i6C6A6246e20-1q1u5Ks3GK0o164G4448u24w3Es2k14-1m3040AEA08CM2y10s30A6I0g12\
        s1062q30A2A26480-1280O2q30A842A0g12k1A40s306046I0G2O2-10y30Q0c3080m3044C446G2O2y10s3060E0C2g12w12q32A6\
        I0g12y10o40G440s506CQEc606GOCq42u104040m3Q4842CK4c2K0k664A4262q12A4Y16S062E0W10Wi14cx14y12-12-12Y424CI\
        06KK0y2440i72c20k74A2K0E4uD260s304C40406EEI60Y3Q4Ua36Y304840C0o2GQ2Y266244o30428044s3E62o944O4CA0E082k\
        C-3Yj1OA08M-_54y80Y6-1sY16u62gzw10AIY22Y52YH080A0q12C0m92s1Y1S0k2Eq1K-24Y306662m20e4A6262Q0I0W30e30446\
        2C240s22I0-E060A0Ypd10ak1UY1Uyy10cE0i98ke3442C6o24A0iA2yZ16eO2Y54k4Ka36u70k3Sq2062M4a3662G0y34g284E-30\
        Q2g3GM660W646042E060y908Ei12q3280i2C88eCE6440m10g5A40A242-E6E242u12i5E6042s60406A40i646648eGG42YG240A0\
        Y9662A0Y2Io2A66I0KA64-2O42kPC4A40c5g16C4242s7A80424C40o428040uL2O2g38C040ylA0ESsfR8u3CoX20W46a50ohc12a\
        c9w26i1YY14a1E6C-16g94ux3i3AY3I0U0k184SYr2C4W16C4248g60YACmN0y36wV6Y-1Cy6Cixhm1-E
        """),
        ("Nd", """
        W3IkY3Ik8IkCIwPIk7Ik7Ik7Ik7Ik7Ik7Ik7Ik7Ik7IY6Ik7Ik4IkHIk4Ikq3Ik2IwIIY8IkAIEIkBIk5Ik8IEIkya2Ikg1Ik2IkCI\
        k1Ik5IkPIknf1Iku2Ike4Iwo1IY8Iw3IY9IkHIkLIk7IkNIk6Ik6IkQIk6Ikl1IkFIk4IkQIkmb1Ik5Ik8Igds1Y3Yq4IkQIkVIkb2\
        Ikf9I
        """),
        ("Nl", """
        ykB4Wd5a266-d70q1GU4ugx1IYbj1e3wS0I0k88sYGy6
        """),
        ("No", """
        aB2C064ip4AoNAo74i8CqDCa1GaRIiZ2c1ed2IYU0if308AEIkCUq20kj1s3-4g1kd1w1qs20gf26s8I-1E4SY2Im2SYtw1Aaji1u2\
        a46a12iLq1g26gp2Eq1Cm2Gu48k1AYA26U6w2Y4Gg32-14u48o6Eo1Eq2CsKAYMy1-9Is26Y7Ck8c1uNc1iq22-QGms1a1er1e1kub\
        1C-n1i1qYo1c1Qc1w6m1-qAGaw1q34446w4u24Scy1O
        """),
        ("Pc", """
        -50W-F2e10-zk32o14WF0
        """),
        ("Pd", """
        w20wr20e30aa70iW20qW4AaW7060W22A0w10-R0e10W70Yvc32i20M0qA0Ww70
        """),
        ("Pe", """
        o20e30W20yh7040-r30qw40m30W10sd1040-10-Z20404040404040Y50Y2040404040gP040404040404040404040Y4040a20iY2\
        0404040w20404040wQ0404040408040404062-nc30qD0y104040404040404080a104040sA0e30W206060
        """),
        ("Pf", """
        sB0yrF080w10oy6040A060W1080
        """),
        ("Pi", """
        sA0wsF06260q10oy6040A060W1080
        """),
        ("Po", """
        Y2444604042M282u10g40C0U2G0-h10I0cTAq20k306060w22g1242S044s46k60u2QqE4k3SW20iG2M0w80o70q70kO0Q0WN0s50M\
        2oAS40Y70s48A2W7AuA0gc1Gim10w74m42y9444i2A46qJ2oD2Y8C4AwACw12y76u38-32Y4EO0cq12IEIG66648K404Isf6642Y70\
        W92A4606G424062M84I66404O64wQ4q30yB0cWw12yG4e60M0e7AwN6k52o2440a32W30a6OY12w76-72Y12qF0gYf1C60k10g1266\
        8446G4E042i9444604042M282u10g2062sP4wf10Y30-P0mk10mC0W20YHGk20Y7Cc4Cq56ox18w26yBCy6246-76Y32W56A0S044o\
        5Au60aQ8M240o60sFi1q64w1Ow40c84wF0oG4u90w5Ee5448y5ImJ8s22ie12s4OWB0Yd28wt52udT2i80a48I0cr16mK0whc10m-E\
        8cj72
        """),
        ("Ps", """
        m20c30W20-h7040-r30-t4080k20m30W10sd1040-10-Z20404040404040Y50Y2040404040gP040404040404040404040Y4040a\
        20iY20404040q10c10404040wQ0404040408040404060aoc30mD0y104040404040404080a104040sA0c30W208060
        """),
        ("Sc", """
        e20y76qk20u70cV2cV2G0iF0mG0ia10uv40gi4W2mtZ20eyg10w60s90uD282k_F6-nX30Yx40
        """),
        ("Sk", """
        y5040m40E0A080qW16QQCC404W1i70U2cm20gpB044O4S4S4S2wf82ecx1i1K2m62Yz10U2kae1W1ut1040cA0mXw38
        """),
        ("Sm", """
        s20Y14y3040y20A0i20W20-l10WX14uZD0S0m24S4u80m28E0g48C2A06060G0W226040W2sGY22s50-1m1o2AiT0K0k3EW70YL86y\
        1MUYGa8k1y3A-16YGY3e16Awzd30op1044gA0Y14y3040e80E6gjh30q10W20q10W20q10W20q10W20q10woB2
        """),
        ("So", """
        iA060A040az10sG2W82-C0M0e12mF0eW10iN0c8A40g80WD0q20mO4W10446Ag104040i8E4A42C6iC2Yl1Iej10cj10y9Y2aMIKGe\
        u224642M042EA404040A0O2U04240s32K86642424C4y162404y1wGEAc16C6W54w1q1k2Ee4q1Ka5w4k1iB4G4g3Iy64kFw2s2Y4-\
        FYW1-2i12Ei26-14m6iEAiM2-2o14m5QgDs1MI0S2Q0i12E2YL2AIY2c2w1y1Ow1I0W1-1Mi2W1-JYyC-3Yfh1i3as16M240yZ14ki\
        f1UW80y24gU080A2S2qJGq3W1644O80W3u2sd32Wb10kd60if4EAW1sqb16C0kre10eh9c7w3gFMi26s3C4k12Gw1Au3i1Y480sBi5\
        qg2-Vm36c3E4Q42oi30wr50a80aj1s2Ac6QS6S4S4e2m1WAo3u1Ss2AGG2UAs9qFCkj1AW18O8i7Ay5EMA0W1MAk3IIEk2Iw162-4c\
        LQQ6O8GGw24CIQAGGGGa94i3
        """),
        ("Zl", """
        mYG0
        """),
        ("Zp", """
        oYG0
        """),
        ("Zs", """
        W20W80W-A0Wu4Kg20W30Yw70
        """),
    ]

    static let scripts: [(name: String, ranges: StaticString)] = [
        ("Adlam", """
        Wmq7s4AIA2
        """),
        ("Ahom", """
        Wmh4q16SAi1
        """),
        ("Anatolian_Hieroglyphs", """
        WWY5ia1
        """),
        ("Arabic", """
        WW384A4Q444-14IOo14s64Y2Y5-2YFy142Eo44u1Ybv3a7Y1qM6-46g3G0Y2UY784i8es7y1-74Yml364q14240604I464040E0A04\
        04044424060404040404240664C4646404I4W1C4484W1g32
        """),
        ("Armenian", """
        Yp2g26Y364euw38
        """),
        ("Avestan", """
        Wmb4g38C
        """),
        ("Balinese", """
        WmDu48y2
        """),
        ("Bamum", """
        Wgp2k5omW3mZ1
        """),
        ("Bassa_Vah", """
        Wjr5w16A
        """),
        ("Batak", """
        WyDc3I6
        """),
        ("Bengali", """
        Wu464E626g14C40866G6266I0A2486m1
        """),
        ("Bhaiksuki", """
        WWk4G4u24QMu1
        """),
        ("Bopomofo", """
        qk12qXNq2Y7-1
        """),
        ("Brahmi", """
        WWe4w4Ac2K0
        """),
        ("Braille", """
        WWK-F
        """),
        ("Buginese", """
        WWDs162
        """),
        ("Buhid", """
        WqBc1
        """),
        ("Canadian_Aboriginal", """
        WWA-d1YZ1g4sxW4U
        """),
        ("Carian", """
        WgX4W3
        """),
        ("Caucasian_Albanian", """
        WpY4c3O0
        """),
        ("Chakma", """
        Wme4e34Y1
        """),
        ("Cham", """
        WWr2i3KQ6I66
        """),
        ("Cherokee", """
        Ww9g56Acth2-4
        """),
        ("Chorasmian", """
        Wxd4s1
        """),
        ("Common", """
        0W4s1As1y24S48m10W20aSi2C86c1g70K0E040yd10E0U080Y20w90gW10a82qj20iP6cI0W_24m42uC240yi20S0G64A4460im1M6\
        i54K8K4Sa1W2W4g2446A4q14W1q24Aif1q1Ki1-v1YGcd16-14m6YW1w5cPMA8404m1W1EA6u5280s52e9UY2c2w3-3W2W5W30o5kA\
        YyC-3Ymi1Y2k64iAIgF0YA0uO0U2cze12YDIk1a24a146e904-1s1As1KM0y22Y4C4CM8cG4Au28GY5Oe3u2gEq1gwy26wg9c7w3gF\
        Mi26w38W1I2Gw1Au3iDc1Qc1Qi5Km1m8e54i4426062664M404C4W4466E4C4s14648408C4cL6cI6Y3adAc4w4u3ci1s2Ac6QS6S4\
        S4e2MwAo3o142Ss2AGG2UAs9kz1AW18O8i7Ay5EMA0W1MAk3IIEk2Iw162-4cLQQ6O8GGw24CIQAGGGGa94i3i2ImWYm10-1-5
        """),
        ("Coptic", """
        a-1QYfKc7CC
        """),
        ("Cuneiform", """
        WWm4ov1k6y648OcC
        """),
        ("Cypriot", """
        WWa4A604s2428060
        """),
        ("Cypro_Minoan", """
        Wvt4a6
        """),
        ("Cyrillic", """
        WW2e86mAYrBGcA0w40mc8-1Yay1-5-uh12YWn3w3a20
        """),
        ("Deseret", """
        WWY4-4
        """),
        ("Devanagari", """
        Wm4W5AS6o1Ysl2-1YWv1I
        """),
        ("Dives_Akuru", """
        Wmi4C606E424w1426MKI
        """),
        ("Dogra", """
        WWi4s3
        """),
        ("Duployan", """
        WW-6q6CO8GGI66
        """),
        ("Egyptian_Hieroglyphs", """
        WWu4gb2
        """),
        ("Elbasan", """
        WmY4k2
        """),
        ("Elymaic", """
        W-d4i1
        """),
        ("Ethiopic", """
        WW9m4466C40466m2466W2466C40466S4m3466a46-18o1k-Ci1KC4C4C4C4C4C4C4Cco-1A6A6AKC4Cah-4C46424S
        """),
        ("Georgian", """
        Wg8g240C06q246Yv5q264Ya8g240C0
        """),
        ("Glagolitic", """
        WWM-5Ywv6C4W16C4248
        """),
        ("Gothic", """
        WpX4q1
        """),
        ("Grantha", """
        Wmf464E626g14C42486G626460E0CC6C88
        """),
        ("Greek", """
        Wt16446640A04044404c14y3UUkoC8c38A8g50YKg16A6g26A6E4040404y16e34S4Q6A4a1644GmI0-Zb20szg1y4a10Wce3g4
        """),
        ("Gujarati", """
        Ye544G444g14C42486I444460W166MGC
        """),
        ("Gunjala_Gondi", """
        Wsk4A424e2424AGI
        """),
        ("Gurmukhi", """
        YW544AA26g14C4242426048A26480G640GW1
        """),
        ("Han", """
        WeNo14m5QgDW3040q1GU6gy1-xCY4-_e1Ymi1wM6o6omw12Q2-We2-jp2Y2oZ8EwD6YeBUWpEWY6wX1c-2qq9C-b8
        """),
        ("Hangul", """
        Wm8-F-YF2aGw5a7y1a4y1akx1u1ee1cwLQi1AW3gwJy18A6A6A64
        """),
        ("Hanifi_Rohingya", """
        Wmc4k2II
        """),
        ("Hanunoo", """
        WoBe1
        """),
        ("Hatran", """
        Wka4a142C8
        """),
        ("Hebrew", """
        Yv2i3Iq1AAoow3o1484042424I
        """),
        ("Hiragana", """
        YaOg5E4as_5yHc10y14ygW10
        """),
        ("Imperial_Aramaic", """
        Waa4g14G
        """),
        ("Inherited", """
        Wm1-6iH2gSKs10Yk16ur8y1aW144O4CA0E082kC-3wW12cCW2qp76u62isc3UY1QWz10cE0sb80gyz2w26i1YY14a1E6C-16crtm1-\
        E
        """),
        ("Inscriptional_Pahlavi", """
        Wsb4a1CE
        """),
        ("Inscriptional_Parthian", """
        Wqb4g16E
        """),
        ("Javanese", """
        Wuq2w46IA2
        """),
        ("Kaithi", """
        Wee4a4M0
        """),
        ("Kannada", """
        We6O444i14I486G4446G2E2466I44
        """),
        ("Katakana", """
        YgOo564YFUYDy24k5-Wc3I4u2cbu264C4240WI4c30U6
        """),
        ("Kawi", """
        Wml4W14m28s1
        """),
        ("Kayah_Li", """
        Wmq2w240
        """),
        ("Kharoshthi", """
        WWb4642CE444u164AIGG
        """),
        ("Khitan_Small_Script", """
        e-t50unDgT
        """),
        ("Khmer", """
        WuBw56IEIkU-1
        """),
        ("Khojki", """
        WWf4Y14y2
        """),
        ("Khudawadi", """
        Whf4q3CI
        """),
        ("Lao", """
        Ye7240484k1404i168404C4I66
        """),
        ("Latin", """
        Y4o1Eo1W30W10Ci14y14WSm28uXDg2EW3C6CO4g4a4-FaN0S0Y1Oy82E0u10a1m2mj5-1cgz1g68-3C24048o1QYp1q24G46kvd1Cs\
        X2o1Eo1iY4A4o24Giqh3y1EA
        """),
        ("Lepcha", """
        WWEk38S84
        """),
        ("Limbu", """
        WmCy14MAMA08M
        """),
        ("Linear_A", """
        WWZ4iJKg1ME
        """),
        ("Linear_B", """
        WWW4M4o14a1424S6Qc2q7
        """),
        ("Lisu", """
        Wjo2-2Yhz10
        """),
        ("Lycian", """
        WeX4u1
        """),
        ("Lydian", """
        Woa4o1C0
        """),
        ("Mahajani", """
        Wre4i2
        """),
        ("Makasar", """
        Wkl4m1
        """),
        ("Malayalam", """
        Wm6O444a3444AAU6o1
        """),
        ("Mandaic", """
        Wa4s160
        """),
        ("Manichaean", """
        Wib4i2AM
        """),
        ("Marchen", """
        Wdk4-16g14Q
        """),
        ("Masaram_Gondi", """
        Wmk4C424s280424GII
        """),
        ("Medefaidrin", """
        Wat5q5
        """),
        ("Meetei_Mayek", """
        Wkr2i1qCw26I
        """),
        ("Mende_Kikakui", """
        WWq7eC6U
        """),
        ("Meroitic_Cursive", """
        Wwa4k1Ac16w2
        """),
        ("Meroitic_Hieroglyphs", """
        Wua4-1
        """),
        ("Miao", """
        Wmt5q4Am3GW1
        """),
        ("Modi", """
        WWh4e4OI
        """),
        ("Mongolian", """
        WWC2604c1Em5Gq2ix-3O
        """),
        ("Mro", """
        War5y14IA2
        """),
        ("Multani", """
        Wef4C40464S4K
        """),
        ("Myanmar", """
        WW8-9Yqi2y1a6-1
        """),
        ("Nabataean", """
        Wea4y1IG
        """),
        ("Nag_Mundari", """
        Wjo7o2
        """),
        ("Nandinagari", """
        Wwi4E6w26K
        """),
        ("New_Tai_Lue", """
        WuCs2Ao1EK82
        """),
        ("Newa", """
        WWg4s548
        """),
        ("Nko", """
        Wy3q364
        """),
        ("Nushu", """
        Y-t50-uW1sO
        """),
        ("Nyiakeng_Puachue_Hmong", """
        Wmm7u28Q6IA2
        """),
        ("Ogham", """
        WeBu1
        """),
        ("Ol_Chiki", """
        WbE-2
        """),
        ("Old_Hungarian", """
        Wec4a3Sa3GA
        """),
        ("Old_Italic", """
        WmX4c2K4
        """),
        ("Old_North_Arabian", """
        Web4-1
        """),
        ("Old_Permic", """
        WrX4q2
        """),
        ("Old_Persian", """
        WwX4c2AQ
        """),
        ("Old_Sogdian", """
        Wmd4k2
        """),
        ("Old_South_Arabian", """
        Wcb4-1
        """),
        ("Old_Turkic", """
        WWc4m4
        """),
        ("Old_Uyghur", """
        Wtd4o1
        """),
        ("Oriya", """
        Ym544E626g14C42486G6264G4A2486Y1
        """),
        ("Osage", """
        WhY4c2Ac2
        """),
        ("Osmanya", """
        WeY4w16I
        """),
        ("Pahawh_Hmong", """
        Wmr5g4MI4C4e1Ca1
        """),
        ("Palmyrene", """
        Wca4-1
        """),
        ("Pau_Cin_Hau", """
        Wij4m3
        """),
        ("Phags_Pa", """
        Waq2k3
        """),
        ("Phoenician", """
        Wma4s180
        """),
        ("Psalter_Pahlavi", """
        Wub4Y1G6QC
        """),
        ("Rejang", """
        Wpq2c2O0
        """),
        ("Runic", """
        WgBq48K
        """),
        ("Samaritan", """
        WW4w26S
        """),
        ("Saurashtra", """
        Weq2g4IM
        """),
        ("Sharada", """
        Wue4-5
        """),
        ("Shavian", """
        WbY4-2
        """),
        ("Siddham", """
        Wug4g36g2
        """),
        ("SignWriting", """
        WWi7se1W184S
        """),
        ("Sinhala", """
        Yu644Y18k14G406C80AA404EEI64w-X4c1
        """),
        ("Sogdian", """
        Wpd4o2
        """),
        ("Sora_Sompeng", """
        Wje4m1GI
        """),
        ("Soyombo", """
        Wbj4a5
        """),
        ("Sundanese", """
        WuD-3YGE
        """),
        ("Syloti_Nagri", """
        WWq2u2
        """),
        ("Syriac", """
        Wm3Q4s364YHK
        """),
        ("Tagalog", """
        WmBg1K0
        """),
        ("Tagbanwa", """
        WsBO4442
        """),
        ("Tai_Le", """
        WrCw168
        """),
        ("Tai_Tham", """
        WYDy34u16KEIEQ
        """),
        ("Tai_Viet", """
        Wer2a4o18
        """),
        ("Takri", """
        Weh4o3EI
        """),
        ("Tamil", """
        au524A844682404282848MA8844660E0Ue1iyf4Y3S0
        """),
        ("Tangsa", """
        Wdr5y44I
        """),
        ("Tangut", """
        W-t50W2k_BI-l1YW1G
        """),
        ("Telugu", """
        WW6O444i14U6G4446G24460666IGG
        """),
        ("Thaana", """
        Wu3Y3
        """),
        ("Thai", """
        YW7o3Cs1
        """),
        ("Tibetan", """
        Wm7k44c2Ai24c24S4CA2
        """),
        ("Tifinagh", """
        WpMk3G2U0
        """),
        ("Tirhuta", """
        Weg4k4II
        """),
        ("Toto", """
        Wfn7y1
        """),
        ("Ugaritic", """
        WuX4w140
        """),
        ("Vai", """
        Wmo2sI
        """),
        ("Vithkuqi", """
        WtY4K4S4C424K4S4C42
        """),
        ("Wancho", """
        Win7o3C0
        """),
        ("Warang_Citi", """
        Wgi4a5Q0
        """),
        ("Yezidi", """
        Wed4o24462
        """),
        ("Yi", """
        WWm2ue28i3
        """),
        ("Zanabazar_Square", """
        WWj4k4
        """),
    ]

    static let categoryAliases: [(alias: String, name: String)] = [
        ("Cased_Letter", "LC"),
        ("Close_Punctuation", "Pe"),
        ("Combining_Mark", "M"),
        ("Connector_Punctuation", "Pc"),
        ("Control", "Cc"),
        ("Currency_Symbol", "Sc"),
        ("Dash_Punctuation", "Pd"),
        ("Decimal_Number", "Nd"),
        ("Enclosing_Mark", "Me"),
        ("Final_Punctuation", "Pf"),
        ("Format", "Cf"),
        ("Initial_Punctuation", "Pi"),
        ("Letter", "L"),
        ("Letter_Number", "Nl"),
        ("Line_Separator", "Zl"),
        ("Lowercase_Letter", "Ll"),
        ("Mark", "M"),
        ("Math_Symbol", "Sm"),
        ("Modifier_Letter", "Lm"),
        ("Modifier_Symbol", "Sk"),
        ("Nonspacing_Mark", "Mn"),
        ("Number", "N"),
        ("Open_Punctuation", "Ps"),
        ("Other", "C"),
        ("Other_Letter", "Lo"),
        ("Other_Number", "No"),
        ("Other_Punctuation", "Po"),
        ("Other_Symbol", "So"),
        ("Paragraph_Separator", "Zp"),
        ("Private_Use", "Co"),
        ("Punctuation", "P"),
        ("Separator", "Z"),
        ("Space_Separator", "Zs"),
        ("Spacing_Mark", "Mc"),
        ("Surrogate", "Cs"),
        ("Symbol", "S"),
        ("Titlecase_Letter", "Lt"),
        ("Unassigned", "Cn"),
        ("Uppercase_Letter", "Lu"),
        ("cntrl", "Cc"),
        ("digit", "Nd"),
        ("punct", "P"),
    ]

    static let upper: StaticString = """
    Y6o12_1s302kk1s2i12_14C2_1202o74k141402lE44416E416i1416441202tI202cC624160218021C021602Y68021202cA802a8644\
    16021A0216021824160218021402m3C021202340212023402120234E41202z44G416021202340218c1418G41I021622-ZL4021A841\
    202-XL202uXL202yXL202ZD202xC422vC402pC402rC202-qo2802vC202sqo2402zC402moo2202eqo2402XD202bD202eqo2202k_K20\
    2Yqo2602bD402w_K202fD602hDG02k-K602pD402cqo2202pD802qoo2202pD202f4222nD202j4C02rDM02gno2202ano2kA02e5u2241\
    8021842a8-202h2242f24W12_1202z12G2_1202_3222z3402x3202n3802z2202h3202F4M41202h5202_4202E202d7402_560216021\
    g3-12_12U2_44W141Kq1416C41202T4-241a3g22_2qq5q22Wy5642Wy5ol1A2Fce402xcC202vcC202dcC222ZcC202bcC202tbC202fY\
    C202aya2YF02eWb2802ik7Y102mZb2c7q441C02r3C-2412E2GIA2GME2GIE2GIA2GO64GIE2GI22q4262i5222e6222W8222W7222y76E\
    2GIE2GIE2GI22G402IM02fYEA02IQ22GU22G802ES02IsL02t1a2U2VA021uq1o12p1kq3-22_24021802rYL202lYL4441E0216021MY3\
    41I241A021Qg22_bE402_bEC02_bEeny1i141e1Q41m8C418y141M2416841A021A241202W36I41OE41A241E021C241w1021wr102_v1\
    w1-42_yh2auf1o12_1yi2k22l2o8c22l2u9K2j24S2j24C2j2422j2em3a32_3yy5-12_1Yug1-12_1cgz1Y22Z2
    """

    static let lower: StaticString = """
    Y4o12W2i6i12W24C2W2a2k142402jC44426E426i142402n72442802aD2242402yC2022422wC2022602-4202qC202sC2022402wC202\
    -C402cD202YD2022802cD202gD402iD2442402qD2022402qD6022402qD2022422oD2242402sD20228022G02420224024202240242G\
    426G4260242242402X6202l32c142402Z84G42G02sYL2022402bA202mYL6022402bC202g4202k42842aI2428022I02e7E02i2442g2\
    402W4422-34W12W24G2W2e202GIM42C02t36022402D2022642Z82U2W52-12W2Y3W142Kq142402U2C426-2426g22W3qq5g22WcE402W\
    cEC02WcEcj1-42Wzh22A2Gsf4q22_x5642_x5YKq442K02zxE4-242KE2FIA2FME2FIE2FIA2FO64FIE2Fo1E2FIE2FIE2FI22F222p420\
    2HO62h5202HO22F222d6Q22F222_6202DO22_7222x7202HqI02vrE802zhG202haGE02u1y2U2W1e1022cp1o12q1Yp3-22W3Y3022402\
    j_K202hk7202j-K6442402tXL202v_K202zXL202xXL40226022I22zZL2Y342I242A022yqy1i142e1Q42m8C428y142M242402dWb228\
    42A022402loo262428I42402dqo2202zqo2202rqo2202Xqo2202dqo2402Zno2202poo2202fno2202Ww12E42402_2202bqo2202lZb2\
    2242E022C242w1022uoh1o12W2ii2k22m2o8c22m2w9K2k24S2k24C2k2422k2sk3a32W4y-5-12W2Yug1-12W2Ygz1Y22a2
    """

    static let fold: StaticString = """
    Y4o12W2s502km1Mi12W24C2W2a2k14284426E426i142402n72442402tG402aD2242402yC2022422wC2022602-4202qC202sC202240\
    2wC202-C402cD202YD2022802cD202gD402iD2442402qD2022402qD6022402qD2022422oD2242402sD20228022G024202240242022\
    40242G426G4260242242402X6202l32c142402Z84G42G02sYL2022402bA202mYL6022402bC202g4202k42842kF02e7s22428022I02\
    e7E02i2442g2402W4422-34W12W24G2W2k1022Q02G202x1202n1802T202h14M42402h3202_2602t3202_34022402D2022642Z82U2W\
    52-12W2Y3W142Kq142402U2C426-2426g22W3qq5g22WcE402WcEC02WcEso1A2Fce402xaC202vaC202daC222ZaC202baC202tZC202d\
    YC202cya2Gq22_x5642_x5YKq442E02p3602zxE4-242KE2FIA2FME2FIE2FIA2FO64FIE2Fo1E2FIE2FIE2FI22F222p4202H402fWEK6\
    2h5202HO22F222d6Q22F222_6202DO22_7222x7202HqI02vrE802zhG202haGE02u1y2U2W1e1022cp1o12q1Yp3-22W3Y3022402j_K2\
    02hk7202j-K6442402tXL202v_K202zXL202xXL40226022I22zZL2Y342I242A022yqy1i142e1Q42m8C428y142M242402dWb22842A0\
    22402loo262428I42402dqo2202zqo2202rqo2202Xqo2202dqo2402Zno2202poo2202fno2202Ww12E42402_2202bqo2202lZb22242\
    E022C242w1022st1-42_yh2asf1o12W2ii2k22m2o8c22m2w9K2k24S2k24C2k2422k2sk3a32W4y-5-12W2Yug1-12W2Ygz1Y22a2
    """
}
