namespace OmniFusion.Text;

/// <summary>
/// A language of the translator: the code that its tag carries (<c>&lt;de&gt;</c>) and the English name that prompts use.
/// </summary>
public sealed record Language(string Code, string Name)
{
    /// <inheritdoc />
    public override string ToString() => $"{Name} ({Code})";
}

/// <summary>
/// The 25 languages of the published system (arXiv 2512.00234), which are those of its translator Seed-X (arXiv 2507.13618).
/// </summary>
public static class Languages
{
    /// <summary>All languages, in alphabetical order of their names.</summary>
    public static IReadOnlyList<Language> All { get; } =
    [
        new("ar", "Arabic"),
        new("zh", "Chinese"),
        new("hr", "Croatian"),
        new("cs", "Czech"),
        new("da", "Danish"),
        new("nl", "Dutch"),
        new("en", "English"),
        new("fi", "Finnish"),
        new("fr", "French"),
        new("de", "German"),
        new("hu", "Hungarian"),
        new("id", "Indonesian"),
        new("it", "Italian"),
        new("ja", "Japanese"),
        new("ko", "Korean"),
        new("ms", "Malay"),
        new("no", "Norwegian"),
        new("nb", "Norwegian Bokmal"),
        new("pl", "Polish"),
        new("pt", "Portuguese"),
        new("ro", "Romanian"),
        new("ru", "Russian"),
        new("es", "Spanish"),
        new("tr", "Turkish"),
        new("vi", "Vietnamese"),
    ];

    /// <summary>Finds a language by its code or English name, in upper or lower case.</summary>
    /// <exception cref="OmniFusionException">There is no such language; the message lists those there are.</exception>
    public static Language Find(string codeOrName)
    {
        ArgumentNullException.ThrowIfNull(codeOrName);
        string wanted = codeOrName.Trim().Replace('å', 'a');
        foreach (Language language in All)
            if (wanted.Equals(language.Code, StringComparison.OrdinalIgnoreCase)
                || wanted.Equals(language.Name, StringComparison.OrdinalIgnoreCase))
                return language;
        throw new OmniFusionException($"'{codeOrName}' is not a known language; known are {string.Join(", ", All)}");
    }
}
