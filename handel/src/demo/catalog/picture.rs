//! Pictures of products: flat drawings put together from motifs and a palette.
//!
//! A motif is a fragment of SVG on a canvas of 800 × 800 in which `{a}`, `{b}` and `{c}` stand for
//! colors. What stands, stands on the line y = 640.

use serde::Deserialize;

/// What a picture shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sketch {
    motif: String,
    colors: [Color; 3],
    /// The colors of a second one behind the first.
    beside: Option<[Color; 3]>,
}

/// How a motif is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scene {
    /// On a table, before a wall.
    Standing,
    /// Seen from above or hung on the wall, with a soft shadow.
    Flat,
}

/// Declares the colors that makers use.
macro_rules! palette {
    ($($name:ident = $hex:literal,)*) => {
        #[derive(Clone, Copy, Debug, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Color { $($name,)* }

        impl Color {
            fn hex(self) -> &'static str {
                match self { $(Color::$name => $hex,)* }
            }
        }
    };
}

palette! {
    Brass = "#c9a24f",
    Chalk = "#f3f0e8",
    Charcoal = "#3b3f42",
    Clay = "#b5583c",
    Copper = "#c07a4f",
    Cream = "#f6ecdb",
    Espresso = "#4a3527",
    Midnight = "#33475b",
    Moss = "#5f7464",
    Oak = "#c79a62",
    Oat = "#cbbba5",
    Ochre = "#d2a24c",
    Plum = "#6b4356",
    Rose = "#d3a19a",
    Sage = "#9aa88b",
    Sea = "#7396a3",
    Slate = "#6c7a86",
    Steel = "#a9b2b6",
    Walnut = "#5b3f2d",
}

/// Lists the motifs by scene, with their drawings from `motifs`.
macro_rules! motifs {
    ($($scene:ident: $($name:literal)*;)*) => {
        const MOTIFS: &[(&str, Scene, &str)] = &[
            $($(($name, Scene::$scene, include_str!(concat!("motifs/", $name, ".svg"))),)*)*
        ];
    };
}

motifs! {
    Standing: "backpack" "bag" "basket" "bottle" "bowl" "candle" "carafe" "chair" "dripper" "glass"
        "grinder" "jar" "kettle" "lamp" "lantern" "mat" "mill" "mug" "planter" "plates" "pot" "press"
        "pump" "saucepan" "soap" "teapot" "tent" "tin" "utensils" "vase" "watering_can";
    Flat: "apron" "beanie" "blanket" "board" "brush" "calendar" "cards" "clock" "coat" "cushion"
        "hatchet" "jacket" "knife" "notebook" "pan" "paring_knife" "pattern" "pen" "pencils" "pendant"
        "scarf" "scissors" "secateurs" "seeds" "shirt" "socks" "sweater" "tote" "towel" "trowel" "tshirt";
}

const SHADOW: &str = r#"<filter id="s" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur in="SourceAlpha" stdDeviation="12"/><feOffset dx="8" dy="16"/><feComponentTransfer><feFuncA type="linear" slope=".24"/></feComponentTransfer><feMerge><feMergeNode/><feMergeNode in="SourceGraphic"/></feMerge></filter>"#;

/// Draws a picture as an SVG document of 800 × 800 on a background color such as `#eadfce`.
pub(super) fn draw(sketch: &Sketch, background: &str) -> String {
    let found = MOTIFS.iter().find(|(name, ..)| *name == sketch.motif);
    let (_, scene, drawing) = found.expect("every sketch names a motif");
    let one = |colors: [Color; 3]| colored(drawing, colors);
    let things = match (sketch.beside, scene) {
        (None, _) => one(sketch.colors),
        (Some(behind), Scene::Standing) => {
            placed(&one(behind), "translate(540 622) scale(.68) translate(-400 -640)")
                + &placed(&one(sketch.colors), "translate(310 650) scale(.82) translate(-400 -640)")
        }
        (Some(behind), Scene::Flat) => {
            let near = "translate(320 430) rotate(-6) scale(.76) translate(-400 -400)";
            let far = "translate(520 350) rotate(12) scale(.68) translate(-400 -400)";
            placed(&one(behind), far) + &placed(&one(sketch.colors), near)
        }
    };
    let setting = match scene {
        Scene::Standing => format!(
            r##"<circle cx="400" cy="370" r="300" fill="#fff" opacity=".32"/><path d="M0 590h800v210H0z" fill="{background}"/><path d="M0 590h800v210H0z" opacity=".07"/><g>{things}</g>"##
        ),
        Scene::Flat => format!(
            r##"{SHADOW}<circle cx="400" cy="400" r="320" fill="#fff" opacity=".32"/><g filter="url(#s)">{things}</g>"##
        ),
    };
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" width="800" height="800"><path d="M0 0h800v800H0z" fill="{background}"/>{setting}</svg>"#
    )
}

fn colored(drawing: &str, [a, b, c]: [Color; 3]) -> String {
    let text = drawing.trim_end().replace("{a}", a.hex()).replace("{b}", b.hex());
    text.replace("{c}", c.hex())
}

fn placed(thing: &str, transform: &str) -> String {
    format!(r#"<g transform="{transform}">{thing}</g>"#)
}
