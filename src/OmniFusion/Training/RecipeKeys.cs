using System.Collections;
using System.Reflection;
using YamlDotNet.Serialization.NamingConventions;

namespace OmniFusion.Training;

/// <summary>The keys of a recipe, as its file has them.</summary>
internal static class RecipeKeys
{
    /// <summary>
    /// The first key that stands without a value where one is wanted, such as <c>data: targets: de</c>, or null: YAML makes null of that,
    /// whatever the type of the property.
    /// </summary>
    internal static string? FirstWithoutValue(object section)
    {
        NullabilityInfoContext nullability = new();
        foreach (PropertyInfo property in section.GetType().GetProperties())
        {
            string key = UnderscoredNamingConvention.Instance.Apply(property.Name);
            object? value = property.GetValue(section);
            if (value is null && nullability.Create(property).WriteState != NullabilityState.Nullable)
                return key;
            if (Within(value) is { } inner)
                return $"{key}{inner}";
        }
        return null;
    }

    // What stands behind the name of a section.
    private static string? Within(object? value) => value switch
    {
        null or string or ValueType => null,
        IDictionary entries => entries.Keys.Cast<object>().Where(key => entries[key] is null).Select(key => $": {key}").FirstOrDefault(),
        IEnumerable items => items.Cast<object?>().Select(item => item is null ? ": -" : Within(item)).FirstOrDefault(found => found is not null),
        _ => FirstWithoutValue(value) is { } key ? $": {key}" : null,
    };
}
