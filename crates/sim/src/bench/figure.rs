/// One line of the results.
#[derive(Debug)]
pub(crate) struct Figure {
    /// The benchmark that made it.
    pub(crate) bench: &'static str,
    /// What was measured.
    pub(crate) what: String,
    pub(crate) figure: String,
    /// What limits it, measured in the same run.
    pub(crate) floor: String,
    pub(crate) ratio: String,
    pub(crate) target: String,
    /// `None` where there is no target.
    pub(crate) reached: Option<bool>,
}

impl Figure {
    /// A row of a table in Markdown.
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

/// The head of the table.
pub(crate) const HEAD: &str = "| bench | what | figure | floor, same run | ratio | target | reached |\n\
                               |---|---|---|---|---|---|---|";
