//! Rows of measured values, their medians and verdicts.

use super::goals::{self, Goal};
use super::server::Program;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// One quantity, measured on each server.
pub(super) struct Row {
    pub(super) table: &'static str,
    pub(super) name: String,
    pub(super) unit: &'static str,
    pub(super) cells: Vec<Cell>,
}

/// One server's values, one per round.
#[derive(Clone)]
pub(super) struct Cell {
    pub(super) column: String,
    /// Goals hold for Rubrica's columns.
    pub(super) ours: bool,
    pub(super) values: Vec<f64>,
    /// Why there is no value.
    pub(super) note: Option<String>,
}

impl Cell {
    pub(super) fn new(column: &str, ours: bool) -> Self {
        Self { column: column.to_owned(), ours, values: Vec::new(), note: None }
    }

    pub(super) fn median(&self) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            len if len % 2 == 1 => Some(sorted[middle]),
            _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        }
    }

    fn lowest(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn highest(&self) -> f64 {
        self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    fn text(&self) -> String {
        match (self.median(), &self.note) {
            (None, Some(note)) => format!("({note})"),
            (None, None) => "-".to_owned(),
            (Some(median), _) if self.values.len() == 1 => number(median),
            (Some(median), _) => {
                format!(
                    "{} [{}..{}]",
                    number(median),
                    number(self.lowest()),
                    number(self.highest())
                )
            }
        }
    }
}

impl Row {
    pub(super) fn new(table: &'static str, name: &str, unit: &'static str) -> Self {
        Self { table, name: name.to_owned(), unit, cells: Vec::new() }
    }

    /// With a cell, still without values, for each program.
    pub(super) fn across(
        table: &'static str,
        name: &str,
        unit: &'static str,
        programs: &[Program],
    ) -> Self {
        let cells = programs.iter().map(|program| Cell::new(&program.column, program.ours));
        Self { cells: cells.collect(), ..Self::new(table, name, unit) }
    }

    /// A column's median as a share of the first column's.
    fn ratio(&self, cell: &Cell) -> Option<f64> {
        let base = self.cells.first()?.median()?;
        (base > 0.0).then_some(cell.median()? / base)
    }

    /// Whether our column meets its goal; none without goal, value or anything to compare with.
    fn met(&self, cell: &Cell) -> Option<(Goal, bool)> {
        let goal = goals::of(self.table, &self.name).filter(|_| cell.ours)?;
        let met = match goal {
            Goal::Value(limit) => cell.median()? <= limit,
            // The first column is what a share is of.
            Goal::Ratio(_) if std::ptr::eq(cell, self.cells.first()?) => return None,
            Goal::Ratio(limit) => self.ratio(cell)? <= limit,
        };
        Some((goal, met))
    }

    pub(super) fn line(&self) -> String {
        let mut out = format!("{:<44}", self.name);
        for (at, cell) in self.cells.iter().enumerate() {
            let _ = write!(out, " {:>24}", cell.text());
            if at > 0 {
                let ratio = self.ratio(cell).map(|ratio| format!("{ratio:.2}x"));
                let _ = write!(out, " {:>6}", ratio.unwrap_or_default());
            }
            if let Some((goal, met)) = self.met(cell) {
                let limit = match goal {
                    Goal::Ratio(limit) => format!("{limit:.2}x"),
                    Goal::Value(limit) => format!("{} {}", number(limit), self.unit),
                };
                let _ = write!(out, "  <= {limit} {}", if met { "met" } else { "MISSED" });
            }
        }
        out
    }

    pub(super) fn json(&self) -> Value {
        let cells: Vec<Value> = self
            .cells
            .iter()
            .map(|cell| {
                json!({
                    "column": cell.column,
                    "median": cell.median(),
                    "values": cell.values,
                    "ratio": self.ratio(cell),
                    "met": self.met(cell).map(|(_, met)| met),
                    "note": cell.note,
                })
            })
            .collect();
        json!({"table": self.table, "row": self.name, "unit": self.unit, "cells": cells})
    }
}

/// Three significant digits, more for large values.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints a table of rows that share their columns.
pub(super) fn print(title: &str, rows: &[Row]) {
    println!("\n{title}");
    let Some(first) = rows.first() else { return };
    let mut head = " ".repeat(44);
    for (at, cell) in first.cells.iter().enumerate() {
        let _ = write!(head, " {:>24}", cell.column);
        if at > 0 {
            let _ = write!(head, " {:>6}", "ratio");
        }
    }
    println!("{}", head.trim_end());
    for row in rows {
        println!("{}", row.line().trim_end());
    }
}

/// How many goals are met, and the names of the missed ones.
pub(super) fn verdicts(rows: &[Row]) -> (usize, Vec<String>) {
    let mut met = 0;
    let mut missed = Vec::new();
    for row in rows {
        for cell in &row.cells {
            match row.met(cell) {
                Some((_, true)) => met += 1,
                Some((_, false)) => missed.push(format!("{}: {}", row.table, row.name)),
                None => {}
            }
        }
    }
    (met, missed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(peer: &[f64], ours: &[f64]) -> Row {
        let mut row = Row::new("cpu", "GET, pipeline 16, 50 clients", "us");
        row.cells = vec![Cell::new("peer", false), Cell::new("rubrica", true)];
        row.cells[0].values = peer.to_vec();
        row.cells[1].values = ours.to_vec();
        row
    }

    #[test]
    fn the_median_ratio_decides() {
        let met = row(&[10.0, 2.0, 9.0], &[4.0, 100.0, 3.0]);
        assert_eq!(met.ratio(&met.cells[1]), Some(4.0 / 9.0));
        assert!(met.line().ends_with("<= 0.45x met"), "{}", met.line());
        assert!(row(&[10.0], &[4.6]).line().ends_with("<= 0.45x MISSED"));
    }

    #[test]
    fn without_a_value_there_is_no_verdict() {
        let empty = row(&[10.0], &[]);
        assert_eq!(empty.met(&empty.cells[1]), None);
        let alone = row(&[], &[1.0]);
        assert_eq!(alone.met(&alone.cells[1]), None);
        assert_eq!(verdicts(&[empty, alone]), (0, Vec::new()));
    }

    #[test]
    fn an_even_number_of_values_has_the_mean_of_the_middle_two() {
        assert_eq!(row(&[], &[1.0, 4.0, 2.0, 9.0]).cells[1].median(), Some(3.0));
    }
}
