using OmniFusion.Text;

namespace OmniFusion.Cli;

/// <summary>The value of <c>--to</c>.</summary>
internal static class LanguageOption
{
    /// <summary>Code of the language, or null where none was named.</summary>
    /// <exception cref="UsageException">There is no such language.</exception>
    internal static string? Code(string? name)
    {
        try
        {
            return name is null ? null : Languages.Find(name).Code;
        }
        catch (OmniFusionException error)
        {
            throw new UsageException($"--to: {error.Message}");
        }
    }
}
