//! Words from which names, people and addresses are put together. None needs escapes in JSON or CSV.

use std::fmt::Write;

use crate::{draw::Draws, party::Kind};

const FIRST: [&str; 24] = [
    "Aisha", "Amara", "Ana", "Carlos", "Chen", "Daniel", "Elena", "Fatima", "Grace", "Hiro",
    "Ingrid", "Ivan", "João", "Kofi", "Lars", "Maria", "Mehmet", "Nadia", "Olga", "Priya", "Raj",
    "Sofia", "Tomás", "Yuki",
];
const LAST: [&str; 24] = [
    "Adeyemi",
    "Almeida",
    "Bianchi",
    "Costa",
    "Demir",
    "Dubois",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Khan",
    "Kowalski",
    "Lindqvist",
    "Mensah",
    "Müller",
    "Nakamura",
    "Novák",
    "Okafor",
    "Patel",
    "Rossi",
    "Silva",
    "Tanaka",
    "Wang",
];
const CHARACTER: [&str; 24] = [
    "Apex",
    "Atlantic",
    "Blue Harbour",
    "Central",
    "Continental",
    "Crescent",
    "Delta",
    "Eastern",
    "Evergreen",
    "First",
    "Global",
    "Golden",
    "Horizon",
    "Lakeside",
    "National",
    "Northern",
    "Orient",
    "Pacific",
    "Pioneer",
    "Premier",
    "Regional",
    "Summit",
    "Unity",
    "Western",
];
const LEGAL_FORM: [&str; 6] = ["", " Ltd", " Inc", " Co", " Group", " LLC"];
const STREET: [&str; 10] = [
    "Commerce St",
    "Dock Rd",
    "Garden Ave",
    "Harbour Rd",
    "High St",
    "Industrial Way",
    "Main St",
    "Market St",
    "Oak St",
    "Trade St",
];
const CITY: [&str; 16] = [
    "Accra",
    "Buenos Aires",
    "Casablanca",
    "Hamburg",
    "Ho Chi Minh City",
    "Istanbul",
    "Jakarta",
    "Kathmandu",
    "Lagos",
    "Manila",
    "Milan",
    "Mumbai",
    "Nairobi",
    "Rotterdam",
    "São Paulo",
    "Tokyo",
];

/// What a company of the kind calls its trade.
fn trades(kind: Kind) -> [&'static str; 4] {
    match kind {
        Kind::Supplier => ["Materials", "Metals", "Components", "Supply"],
        Kind::Manufacturer => ["Manufacturing", "Industries", "Works", "Textiles"],
        Kind::Distributor => ["Distribution", "Logistics", "Wholesale", "Trading"],
        Kind::Retailer => ["Stores", "Market", "Retail", "Outlet"],
        Kind::Customer | Kind::Individual | Kind::Business => {
            ["Services", "Partners", "Consulting", "Foods"]
        }
    }
}

/// Each of these replaces what `text` holds.
pub(crate) fn party(draws: &mut Draws, kind: Kind, text: &mut String) {
    if kind == Kind::Individual {
        return person(draws, text);
    }
    text.clear();
    for part in [
        draws.pick(&CHARACTER),
        " ",
        draws.pick(&trades(kind)),
        draws.pick(&LEGAL_FORM),
    ] {
        text.push_str(part);
    }
}

pub(crate) fn person(draws: &mut Draws, text: &mut String) {
    text.clear();
    for part in [draws.pick(&FIRST), " ", draws.pick(&LAST)] {
        text.push_str(part);
    }
}

pub(crate) fn phone(draws: &mut Draws, text: &mut String) {
    let (country, area, line) = (
        1 + draws.below(98),
        100 + draws.below(900),
        draws.below(10_000),
    );
    fill(text, format_args!("+{country}-{area}-555-{line:04}"));
}

pub(crate) fn address(draws: &mut Draws, text: &mut String) {
    let (number, street, city) = (
        1 + draws.below(9_999),
        draws.pick(&STREET),
        draws.pick(&CITY),
    );
    fill(text, format_args!("{number} {street}, {city}"));
}

fn fill(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.clear();
    text.write_fmt(words).expect("a string takes any text");
}
