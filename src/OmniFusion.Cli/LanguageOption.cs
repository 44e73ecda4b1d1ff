using OmniFusion.Text;

namespace OmniFusion.Cli;

/// <summary>The value of <c>--to</c>, or of another option that names a language.</summary>
internal static class LanguageOption
{
    /// <summary>Code of the language, or null where none was named.</summary>
    /// <exception cref="UsageException">There is no such language.</exception>
    internal static string? Code(string? name, string option = "--to")
    {
        try
        {
            return name is null ? null : Languages.Find(name).Code;
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"{option}: {error.Message}");
        }
    }
}
