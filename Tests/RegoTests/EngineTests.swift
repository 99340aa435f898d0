import Rego
import Testing

@Test func aCompleteRuleGivesItsValue() throws {
    let engine = try Engine(modules: [Engine.Module(name: "t.rego", text: "package t\np := 1")])
    let value = try engine.prepare("data.t.p").value(input: nil)
    #expect(value?.text == "1")
}
