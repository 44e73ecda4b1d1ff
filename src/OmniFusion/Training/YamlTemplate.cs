using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace OmniFusion.Training;

/// <summary>A YAML file with <c>${name}</c> in the place of what differs from machine to machine, such as the folder of the data.</summary>
public static partial class YamlTemplate
{
    /// <summary>Reads a file; its keys are the properties of <typeparamref name="T"/> with underscores between words.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="variables">Values for the names.</param>
    /// <exception cref="OmniFusionException">The file cannot be read, a name has no value, or a key is unknown or has a wrong value.</exception>
    public static T Load<T>(string path, IReadOnlyDictionary<string, string>? variables = null) where T : class =>
        Read<T>(path, text => Fill(path, text, variables ?? new Dictionary<string, string>()));

    /// <summary>Reads a file with its names as they stand, for <see cref="Fill"/> to put values in their places.</summary>
    /// <exception cref="OmniFusionException">The file cannot be read, or a key is unknown or has a wrong value.</exception>
    public static T LoadUnfilled<T>(string path) where T : class => Read<T>(path, text => text);

    /// <summary>A text with values in the places of its names.</summary>
    /// <param name="path">The file that it is of, for messages.</param>
    /// <param name="text">The text.</param>
    /// <param name="variables">Values for the names.</param>
    /// <exception cref="OmniFusionException">A name has no value.</exception>
    public static string Fill(string path, string text, IReadOnlyDictionary<string, string> variables)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(variables);
        foreach ((string name, string value) in variables)
            text = text.Replace("${" + name + "}", value, StringComparison.Ordinal);
        int open = text.IndexOf("${", StringComparison.Ordinal);
        return open < 0 ? text : throw new OmniFusionException(
            $"{path} needs a value for {text[open..].Split('}', '\n')[0].TrimEnd()}}}; give it with --set NAME=VALUE.");
    }

    private static T Read<T>(string path, Func<string, string> fill) where T : class
    {
        try
        {
            IDeserializer yaml = new DeserializerBuilder()
                .WithNamingConvention(UnderscoredNamingConvention.Instance).WithDuplicateKeyChecking().Build();
            return yaml.Deserialize<T?>(fill(File.ReadAllText(path))) ?? throw new OmniFusionException($"{path} is empty.");
        }
        catch (YamlException error)
        {
            throw new OmniFusionException($"{path}, line {error.Start.Line}: {Sentence(error)}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read: {error.Message}", error);
        }
    }

    // The reader of YAML speaks of the types that it fills, which nobody knows who writes a file.
    private static string Sentence(YamlException error) =>
        error is SyntaxErrorException or SemanticErrorException || error.InnerException is FormatException or OverflowException
            ? (error.InnerException ?? error).Message
        : UnknownKey().Match(error.Message) is { Success: true } key ? $"there is no '{key.Groups[1].Value}' here."
        : DuplicateKey().Match(error.Message) is { Success: true } twice ? $"'{twice.Groups[1].Value}' stands here twice."
        : "a value of another kind is wanted here.";

    [GeneratedRegex("^Property '(.*)' not found on type")]
    private static partial Regex UnknownKey();

    [GeneratedRegex("duplicate (?:key|property) '?(.*?)'?\\.?$", RegexOptions.IgnoreCase)]
    private static partial Regex DuplicateKey();
}
