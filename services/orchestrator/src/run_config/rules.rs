//! Decision rules within a config: a property of format `decision-rules` holds rules that compile, or the run is refused.

use kycc_domain::rules::{Rule, RuleError, RuleSet};
use serde_json::Value;

use super::ConfigProblem;

const FORMAT: &str = "decision-rules";

/// What is wrong with the rules of a config that is otherwise as its schema wants it.
pub(super) fn check(base: &str, config: &Value, schema: &Value) -> Vec<ConfigProblem> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .filter(|(_, property)| property["format"] == FORMAT)
        .filter_map(|(name, _)| Some((format!("{base}.{name}"), config[name].as_array()?)))
        .flat_map(|(path, rules)| of_list(&path, rules))
        .collect()
}

fn of_list(path: &str, list: &[Value]) -> Vec<ConfigProblem> {
    let mut rules = Vec::with_capacity(list.len());
    let mut problems = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match serde_json::from_value::<Rule>(value.clone()) {
            Err(error) => problems.push(ConfigProblem::new(path, error.to_string())),
            // Alone, so that every faulty rule is found and its place is known.
            Ok(rule) => match RuleSet::compile(std::slice::from_ref(&rule)) {
                Err(error) => {
                    let path = format!("{path}.{}", field(&error));
                    problems.push(ConfigProblem::new(path, error.to_string()));
                }
                Ok(_) => rules.push(rule),
            },
        }
    }
    if problems.is_empty()
        && let Err(error) = RuleSet::compile(&rules)
    {
        problems.push(ConfigProblem::new(path, error.to_string()));
    }
    problems
}

/// The field of a rule that the error is about.
fn field(error: &RuleError) -> &'static str {
    match error {
        RuleError::Name { .. } | RuleError::DuplicateName { .. } | RuleError::TooMany { .. } => {
            "name"
        }
        RuleError::Flag { .. } => "flag",
        RuleError::Value { .. } => "value",
        RuleError::TooLong { .. }
        | RuleError::TooDeep { .. }
        | RuleError::Compile { .. }
        | RuleError::UnknownVariable { .. }
        | RuleError::NotBoolean { .. }
        | RuleError::Evaluate { .. } => "condition",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(rules: Value) -> Vec<String> {
        let schema =
            json!({"properties": {"rules": {"type": "array", "format": FORMAT}, "other": {}}});
        let found = check(
            "ops.x.config",
            &json!({"rules": rules, "other": [7]}),
            &schema,
        );
        found.iter().map(ToString::to_string).collect()
    }

    fn rule(name: &str, condition: &str) -> Value {
        json!({"name": name, "priority": 1, "condition": condition, "action": "adjust_score", "value": 1.0})
    }

    #[test]
    fn rules_that_compile_pass_and_so_do_none() {
        assert!(problems(json!([rule("a", "score > 500.0")])).is_empty());
        assert!(problems(json!([])).is_empty());
        assert!(problems(Value::Null).is_empty());
    }

    #[test]
    fn every_faulty_rule_is_named_by_its_place_and_field() {
        let mut valueless = rule("d", "score > 1.0");
        valueless.as_object_mut().unwrap().remove("value");
        let mut flagless = rule("e", "score > 1.0");
        flagless["action"] = json!("flag_for_review");
        flagless["flag"] = json!(" ");
        let found = problems(json!([
            rule("a", "score > 500.0"),
            rule("b", "score >"),
            rule("c", "no_such_feature > 1.0"),
            valueless,
            flagless,
        ]));
        let places: Vec<_> = found
            .iter()
            .map(|problem| problem.split(": ").next().unwrap())
            .collect();
        assert_eq!(
            places,
            [
                "ops.x.config.rules[1].condition",
                "ops.x.config.rules[2].condition",
                "ops.x.config.rules[3]",
                "ops.x.config.rules[4].flag",
            ],
            "{found:?}"
        );
        assert!(found[1].contains("no_such_feature"), "{found:?}");
        assert!(found[2].contains("value"), "{found:?}");
    }

    #[test]
    fn two_rules_of_one_name_are_refused() {
        let found = problems(json!([rule("a", "score > 1.0"), rule("a", "score > 2.0")]));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("ops.x.config.rules: "), "{found:?}");
    }
}
