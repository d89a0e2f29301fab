//! Types of PostgreSQL: which of them hold all that another one holds.

/// Names of one type.
const ALIASES: &[(&str, &str)] = &[
    ("int2", "smallint"),
    ("smallserial", "smallint"),
    ("int", "integer"),
    ("int4", "integer"),
    ("serial", "integer"),
    ("int8", "bigint"),
    ("bigserial", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("float", "double precision"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
    ("character varying", "varchar"),
    ("char varying", "varchar"),
    ("character", "char"),
    ("bpchar", "char"),
    ("bool", "boolean"),
    ("timestamptz", "timestamp with time zone"),
    ("timestamp without time zone", "timestamp"),
    ("timetz", "time with time zone"),
    ("time without time zone", "time"),
];

/// Which family holds all of which other one, read and written the same way.
const WIDER: &[(&str, &str)] = &[
    ("smallint", "integer"),
    ("smallint", "bigint"),
    ("integer", "bigint"),
    ("real", "double precision"),
    ("varchar", "text"),
];

/// Types whose columns take their values from a sequence.
const SERIAL: &[&str] = &[
    "smallserial",
    "serial",
    "bigserial",
    "serial2",
    "serial4",
    "serial8",
];

/// Whether columns of this type take their values from a sequence.
pub(super) fn is_serial(name: &str) -> bool {
    SERIAL.contains(&name.to_lowercase().as_str())
}

/// Whether a column of the type `to` holds everything that one of the type `from` holds, and is
/// read and written the same way.
pub(super) fn widens(from: &str, to: &str) -> bool {
    let ((family, before), (wider, after)) = (read(from), read(to));
    if family != wider {
        return WIDER.contains(&(family.as_str(), wider.as_str())) && after.is_empty();
    }
    let limited = matches!(family.as_str(), "varchar" | "numeric");
    match (before.as_slice(), after.as_slice()) {
        (before, after) if before == after => true,
        (_, []) => limited,
        ([before], [after]) => limited && after >= before,
        ([precision, scale], [precision_after, scale_after]) => {
            let whole = precision.checked_sub(*scale);
            let whole_after = precision_after.checked_sub(*scale_after);
            limited && scale_after >= scale && whole_after >= whole
        }
        _ => false,
    }
}

/// The family of a type, by its first name, and its limits: a length, or precision and scale.
fn read(text: &str) -> (String, Vec<i64>) {
    let text = text.to_lowercase();
    let (before, rest) = text.split_once('(').unwrap_or((text.as_str(), ""));
    let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
    let written = format!("{} {}", before.trim(), after.trim());
    let written = written.trim();
    let known = ALIASES.iter().find(|(alias, _)| *alias == written);
    let family = known.map_or(written, |(_, family)| *family).to_owned();
    let limits = inside.split(',').map(|limit| limit.trim().parse());
    match limits.collect::<Result<Vec<i64>, _>>() {
        Ok(limits) => (family, limits),
        // What is in the brackets is no number: part of the name.
        Err(_) if !inside.is_empty() => (text, Vec::new()),
        Err(_) => (family, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_widens_when_nothing_is_lost_and_it_is_read_the_same_way() {
        for (from, to) in [
            ("INT", "BIGINT"),
            ("smallint", "int4"),
            ("VARCHAR(20)", "CHARACTER VARYING(40)"),
            ("VARCHAR(20)", "TEXT"),
            ("varchar(20)", "varchar"),
            ("NUMERIC(10,2)", "numeric(12,2)"),
            ("NUMERIC(10,2)", "decimal(12,4)"),
            ("NUMERIC(10,2)", "numeric"),
            ("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"),
            ("text", "TEXT"),
        ] {
            assert!(widens(from, to), "{from} to {to}");
        }
    }

    #[test]
    fn any_other_change_takes_something_away() {
        for (from, to) in [
            ("bigint", "int"),
            ("text", "varchar(20)"),
            ("varchar(40)", "varchar(20)"),
            ("varchar", "varchar(20)"),
            ("numeric(10,2)", "numeric(10,4)"),
            ("numeric(10,2)", "numeric(8,2)"),
            ("text", "uuid"),
            ("timestamp", "timestamptz"),
            ("integer", "text"),
            ("timestamp(3)", "timestamp"),
            ("geometry(point)", "geometry"),
        ] {
            assert!(!widens(from, to), "{from} to {to}");
        }
    }
}
