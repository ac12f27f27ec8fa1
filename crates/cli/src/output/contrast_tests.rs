//! Contrast of the style sheets' colours in each colour scheme, by the formula of the Web Content Accessibility Guidelines
//! (WCAG 2.2): text needs 4.5 : 1, and lines need 3 : 1.

use std::collections::BTreeMap;

const SHEETS: [&str; 3] =
    [include_str!("page.css"), include_str!("../report/report.css"), include_str!("../gradcheck/gradcheck.css")];
/// A word of the media query of each scheme; the light scheme has none.
const SCHEMES: [&str; 3] = ["", "dark", "print"];
const TEXT: f64 = 4.5;
const LINE: f64 = 3.0;

/// A rule of a style sheet.
struct Rule {
    media: String,
    selector: String,
    declarations: Vec<(String, String)>,
}

/// Red, green and blue, from 0 to 1.
type Colour = [f64; 3];

/// The custom properties of a scheme.
struct Palette(BTreeMap<String, String>);

fn rules() -> Vec<Rule> {
    let mut rules = Vec::new();
    SHEETS.iter().for_each(|sheet| parse(&without_comments(sheet), "", &mut rules));
    rules
}

fn without_comments(css: &str) -> String {
    let mut parts = css.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once("*/").expect("the end of a comment").1).collect::<String>()
}

fn parse(css: &str, media: &str, rules: &mut Vec<Rule>) {
    let mut rest = css;
    while let Some((head, after)) = rest.split_once('{') {
        let mut depth = 1;
        let is_end = |c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth == 0
        };
        let end = after.find(is_end).expect("a closing brace");
        let (head, body) = (head.trim(), &after[..end]);
        if head.starts_with('@') {
            parse(body, head, rules);
        } else {
            let pairs = body.split(';').filter_map(|declaration| declaration.split_once(':'));
            let declarations = pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
            rules.push(Rule { media: media.to_owned(), selector: head.to_owned(), declarations });
        }
        rest = &after[end + 1..];
    }
}

impl Rule {
    fn applies_to(&self, scheme: &str) -> bool {
        self.media.is_empty() || !scheme.is_empty() && self.media.contains(scheme)
    }
}

impl Palette {
    fn new(rules: &[Rule], scheme: &str) -> Self {
        let roots = rules.iter().filter(|rule| rule.selector == ":root" && rule.applies_to(scheme));
        Self(roots.flat_map(|rule| rule.declarations.iter().cloned()).collect())
    }

    /// Returns the colours that a value stands for: one, or those of all configurations for `var(--c)`.
    fn colours(&self, value: &str) -> Vec<Colour> {
        match value.strip_prefix("var(").and_then(|name| name.strip_suffix(')')) {
            Some("--c") => (0..6).map(|k| self.colour(&format!("--c{k}"))).collect(),
            Some(name) => vec![self.colour(name)],
            None => panic!("{value} is not a colour of the palette"),
        }
    }

    fn colour(&self, name: &str) -> Colour {
        self.with_alpha(name).0
    }

    /// Returns a colour and its opacity.
    fn with_alpha(&self, name: &str) -> (Colour, f64) {
        let digits = self.0[name].trim_start_matches('#');
        let digits = if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.to_owned() };
        let channel =
            |k: usize| f64::from(u8::from_str_radix(&digits[2 * k..2 * k + 2], 16).expect("a colour")) / 255.0;
        ([0, 1, 2].map(channel), if digits.len() == 8 { channel(3) } else { 1.0 })
    }

    fn contrast_with_paper(&self, colour: Colour) -> f64 {
        contrast(colour, self.colour("--paper"))
    }
}

fn contrast(a: Colour, b: Colour) -> f64 {
    let linear = |x: f64| if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: Colour| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Lays a colour of this opacity over another.
fn blend(colour: Colour, opacity: f64, below: Colour) -> Colour {
    std::array::from_fn(|k| opacity * colour[k] + (1.0 - opacity) * below[k])
}

#[test]
fn contrast_of_known_colours_is_that_of_the_guidelines() {
    let grey = [f64::from(0x76) / 255.0; 3];
    assert!((contrast([1.0; 3], [0.0; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast(grey, [1.0; 3]) - 4.54).abs() < 0.005, "#767676 is the lightest grey for text on white");
}

#[test]
fn contrast_of_text_and_lines_suffices_in_each_scheme() {
    let rules = rules();
    for scheme in SCHEMES {
        let palette = Palette::new(&rules, scheme);
        let (mut texts, mut lines) = (0, 0);
        for rule in rules.iter().filter(|rule| rule.applies_to(scheme)) {
            let selector = &rule.selector;
            let is_text = selector.contains("text") || selector.contains(".tick");
            for (property, value) in &rule.declarations {
                let least = match &property[..] {
                    "color" => TEXT,
                    "fill" if is_text => TEXT,
                    "fill" if selector.starts_with(".dots") => LINE,
                    "stroke" if value != "transparent" && selector != "svg .note" => LINE,
                    "opacity" => {
                        assert_eq!(selector, ".band", "opacity lowers the contrast of text and lines");
                        continue;
                    }
                    _ => continue,
                };
                *(if least == TEXT { &mut texts } else { &mut lines }) += 1;
                for colour in palette.colours(value) {
                    let found = palette.contrast_with_paper(colour);
                    assert!(found >= least, "{scheme} {selector} {property}: {found:.2}, expected {least}");
                }
            }
        }
        assert!(texts >= 15 && lines >= 10, "{texts} texts, {lines} lines");
    }
}

/// The number in a heatmap cell stands on the deepest colour, half opaque, if its probability is 1.
#[test]
fn contrast_of_text_on_heatmap_cells_suffices_in_each_scheme() {
    let rules = rules();
    assert!(SHEETS[0].contains("td.heat { text-align: right; background: rgba(var(--heat), calc(var(--p) * .5)); }"));
    for scheme in SCHEMES {
        let palette = Palette::new(&rules, scheme);
        let channels: Vec<f64> =
            palette.0["--heat"].split(", ").map(|x| x.parse::<f64>().expect("a channel") / 255.0).collect();
        let cell = blend([channels[0], channels[1], channels[2]], 0.5, palette.colour("--paper"));
        let found = contrast(palette.colour("--ink"), cell);
        assert!(found >= TEXT, "{scheme}: {found:.2}");
    }
}

/// The shade shows that a box scrolls on; its cover moves with the content and hides it at the end.
#[test]
fn shade_of_a_box_that_scrolls_is_visible_in_each_scheme() {
    let rules = rules();
    let wide = |scheme: &str| {
        let last = rules.iter().rfind(|rule| rule.selector == ".wide" && rule.applies_to(scheme)).expect("a rule");
        let background = last.declarations.iter().find(|(property, _)| property == "background");
        background.expect("a background").1.clone()
    };
    for scheme in ["", "dark"] {
        let palette = Palette::new(&rules, scheme);
        let layers = wide(scheme);
        let (cover, shade) = layers.split_once("local,").expect("a layer that moves with the content");
        assert!(cover.contains("(to left, var(--paper) .6rem,"), "the cover is as wide as the shade: {cover}");
        assert!(shade.contains("(to left, var(--shade), transparent .6rem) scroll"), "{shade}");
        let (colour, alpha) = palette.with_alpha("--shade");
        let found = palette.contrast_with_paper(blend(colour, alpha, palette.colour("--paper")));
        assert!(found >= LINE, "{scheme}: {found:.2}");
    }
    assert_eq!(wide("print"), "none", "paper does not scroll");
}
