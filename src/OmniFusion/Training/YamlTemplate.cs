using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace OmniFusion.Training;

/// <summary>A YAML file with <c>${name}</c> in the place of what differs from machine to machine, such as the folder of the data.</summary>
public static class YamlTemplate
{
    /// <summary>Reads a file; its keys are the properties of <typeparamref name="T"/> with underscores between words.</summary>
    /// <param name="path">The YAML file.</param>
    /// <param name="variables">Values for the names.</param>
    /// <exception cref="OmniFusionException">The file cannot be read, a name has no value, or a key is unknown or has a wrong value.</exception>
    public static T Load<T>(string path, IReadOnlyDictionary<string, string>? variables = null) where T : class
    {
        try
        {
            string text = File.ReadAllText(path);
            foreach ((string name, string value) in variables ?? new Dictionary<string, string>())
                text = text.Replace("${" + name + "}", value, StringComparison.Ordinal);
            int open = text.IndexOf("${", StringComparison.Ordinal);
            if (open >= 0)
            {
                string variable = text[open..].Split('}', '\n')[0].TrimEnd() + "}";
                throw new OmniFusionException($"{path} needs a value for {variable}; give it with --set NAME=VALUE.");
            }
            IDeserializer yaml = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();
            return yaml.Deserialize<T?>(text) ?? throw new OmniFusionException($"{path} is empty.");
        }
        catch (YamlException error)
        {
            throw new OmniFusionException($"{path}, line {error.Start.Line}: {(error.InnerException ?? error).Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OmniFusionException($"{path} cannot be read: {error.Message}", error);
        }
    }
}
