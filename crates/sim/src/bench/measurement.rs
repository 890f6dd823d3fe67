/// One row of the results.
#[derive(Debug)]
pub(crate) struct Measurement {
    /// The benchmark it belongs to.
    pub(crate) bench: &'static str,
    /// What was measured.
    pub(crate) what: String,
    pub(crate) figure: String,
    /// Its floor: what limits it, measured in the same run.
    pub(crate) floor: String,
    pub(crate) ratio: String,
    pub(crate) target: String,
    /// Whether the target is reached; `None` without a target.
    pub(crate) reached: Option<bool>,
}

impl Measurement {
    /// A row of a Markdown table.
    pub(crate) fn row(&self) -> String {
        let reached = match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let Self { bench, what, figure, floor, ratio, target, .. } = self;
        format!("| {bench} | {what} | {figure} | {floor} | {ratio} | {target} | {reached} |")
    }
}

/// The header of that table.
pub(crate) const TABLE_HEAD: &str = "| bench | what | figure | floor, same run | ratio | target | reached |\n\
                               |---|---|---|---|---|---|---|";
