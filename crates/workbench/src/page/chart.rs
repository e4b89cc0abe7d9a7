//! A line chart as inline SVG: axes, ticks, lines told apart by dashes as well as by colour, so that print shows them.

use maud::{Markup, html};

const WIDTH: f64 = 440.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// Ticks wanted on an axis; the steps are 1, 2 or 5 times a power of ten.
const TICKS: f64 = 5.0;

pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) lines: Vec<Line>,
}

/// One line. `style` is a class of the page's style sheet.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) style: &'static str,
    pub(super) points: Vec<(f64, f64)>,
    /// Share of the rows behind each point, for points that are drawn as dots of that area and not joined.
    pub(super) dots: Option<Vec<f64>>,
}

impl Chart<'_> {
    pub(super) fn draw(&self) -> Markup {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        html! {
            figure {
                figcaption { (self.title) }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(self.title) {
                    @for tick in ticks(self.x) {
                        @let at = format!("{:.1}", self.across(tick));
                        line.grid x1=(at) x2=(at) y1=(TOP) y2=(bottom) {}
                        text.tick x=(at) y=(bottom + 14.0) text-anchor="middle" { (label(tick)) }
                    }
                    @for tick in ticks(self.y) {
                        @let at = format!("{:.1}", self.up(tick));
                        line.grid x1=(LEFT) x2=(right) y1=(at) y2=(at) {}
                        text.tick x=(LEFT - 6.0) y=(at) dy="0.32em" text-anchor="end" { (label(tick)) }
                    }
                    rect.frame x=(LEFT) y=(TOP) width=(right - LEFT) height=(bottom - TOP) {}
                    text.label x=((LEFT + right) / 2.0) y=(HEIGHT - 12.0) text-anchor="middle" { (self.x_label) }
                    text.label x="14" y=((TOP + bottom) / 2.0) text-anchor="middle"
                        transform=(format!("rotate(-90 14 {})", (TOP + bottom) / 2.0)) { (self.y_label) }
                    @for line in &self.lines {
                        @match &line.dots {
                            None => polyline class=(line.style) points=(self.path(line)) {},
                            Some(shares) => @for ((x, y), share) in line.points.iter().zip(shares) {
                                circle class=(line.style) cx=(format!("{:.1}", self.across(*x)))
                                    cy=(format!("{:.1}", self.up(*y))) r=(format!("{:.1}", radius(*share))) {}
                            },
                        }
                    }
                }
                p.legend {
                    @for line in self.lines.iter().filter(|line| !line.name.is_empty()) {
                        span {
                            svg viewBox="0 0 28 8" width="28" height="8" aria-hidden="true" {
                                line class=(line.style) x1="0" x2="28" y1="4" y2="4" {}
                            }
                            " " (line.name)
                        }
                    }
                }
            }
        }
    }

    fn path(&self, line: &Line) -> String {
        let points = line.points.iter();
        let points = points.map(|(x, y)| format!("{:.1},{:.1}", self.across(*x), self.up(*y)));
        points.collect::<Vec<_>>().join(" ")
    }

    fn across(&self, x: f64) -> f64 {
        LEFT + share(x, self.x) * (WIDTH - LEFT - RIGHT)
    }

    fn up(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - share(y, self.y) * (HEIGHT - TOP - BOTTOM)
    }
}

/// The smallest dot can still be seen.
fn radius(share: f64) -> f64 {
    1.5 + 7.0 * share.sqrt()
}

/// Where `v` lies in a range, 0 to 1; the middle of a range without width.
fn share(v: f64, (low, high): (f64, f64)) -> f64 {
    if high > low {
        ((v - low) / (high - low)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

fn ticks((low, high): (f64, f64)) -> Vec<f64> {
    if high <= low {
        return vec![low];
    }
    let rough = (high - low) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let (first, last) = (
        (low / step).ceil() as i64,
        (high / step * 1.000_001).floor() as i64,
    );
    (first..=last).map(|at| at as f64 * step).collect()
}

/// A tick without the dust of its multiplication.
fn label(tick: f64) -> String {
    let text = format!("{tick:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_range() {
        let labels = |range| ticks(range).into_iter().map(label).collect::<Vec<_>>();
        assert_eq!(labels((0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(labels((0.0, 7.3)), ["0", "2", "4", "6"]);
        assert_eq!(labels((3.0, 3.0)), ["3"]);
    }
}
